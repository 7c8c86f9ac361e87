"""A background that anybody may have sent, looked at and decoded in bounded processes.

`runtime.bounded` calls `moves`, `first` and `pictures` by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lipstream.render.clip import Clip, open_clip
from lipstream.runtime.bounded import BoundedCalls
from lipstream.wire.output import PictureSize

if TYPE_CHECKING:
    from lipstream.render.splats import Bytes

__all__ = ["BoundedClip", "first", "moves", "moves_bounded", "pictures"]


@dataclass(frozen=True, slots=True)
class BoundedClip:
    """As `Clip`; each reading has a process of its own.

    Raises:
        BadInput: from its methods, also where a picture takes too long or its decoder fails.
    """

    path: Path
    moves: bool

    @classmethod
    def open(cls, path: Path) -> BoundedClip:
        """
        Raises:
            BadInput: the file is neither a picture nor a video.
        """
        with closing(BoundedCalls()) as calls:
            return cls(path, moves_bounded(calls, path))

    def first(self, size: PictureSize) -> Bytes:
        return next(self._read("first", size, 1.0))

    def pictures(self, size: PictureSize, fps: float) -> Iterator[Bytes]:
        return self._read("pictures", size, fps)

    def _read(self, function: str, size: PictureSize, fps: float) -> Iterator[Bytes]:
        asked = (str(self.path), size.width_px, size.height_px, fps)
        shape = (size.height_px, size.width_px, 3)
        with closing(BoundedCalls()) as calls:
            for data in calls.pieces(f"{__name__}:{function}", *asked):
                yield np.frombuffer(data, np.uint8).reshape(shape)


def moves_bounded(calls: BoundedCalls, path: Path) -> bool:
    """Whether the file is a video.

    Raises:
        BadInput: it is neither a picture nor a video.
    """
    found: bool = calls.call(f"{__name__}:moves", str(path))
    return found


def moves(path: str) -> bool:
    """In the bounded process."""
    return _opened(path).moves


def first(path: str, width_px: int, height_px: int, fps: float) -> Iterator[bytes]:
    """In the bounded process."""
    yield _opened(path).first(PictureSize(width_px, height_px)).tobytes()


def pictures(path: str, width_px: int, height_px: int, fps: float) -> Iterator[bytes]:
    """In the bounded process."""
    for picture in _opened(path).pictures(PictureSize(width_px, height_px), fps):
        yield picture.tobytes()


def _opened(path: str) -> Clip:
    return open_clip(Path(path), "The background")
