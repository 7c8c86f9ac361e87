"""Pictures and videos of others, as FFmpeg reads them: bounded, upright, cut to a size.

A picture is a clip of one frame. Files come from anybody, so none may name another file or an
address, and none is decoded before its size is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import numpy as np

from lipstream.errors import BadInput, LipstreamError, NotFound, TooLarge
from lipstream.wire.output import PictureSize

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer

    from lipstream.render.splats import Bytes

__all__ = ["Clip", "Footage", "open_clip"]

_MAX_PIXELS = 40_000_000
_FORMATS = (
    *("apng", "avi", "bmp_pipe", "flv", "gif", "gif_pipe", "image2", "jpeg_pipe", "matroska,webm"),
    *("mov,mp4,m4a,3gp,3g2,mj2", "mpeg", "mpegts", "ogg", "png_pipe", "tiff_pipe", "webp_pipe"),
)
_DEFAULT_FRAME_S = 1 / 25
_REMEDY = "Send a JPEG, PNG or WebP picture, or a video such as MP4 or WebM."


class Footage(Protocol):
    """Pictures of a file. Shared by threads; keeps no state."""

    @property
    def moves(self) -> bool:
        """Whether it holds more than one frame."""
        ...

    def first(self, size: PictureSize) -> Bytes:
        """The first frame, covering a picture of that size: [H, W, 3] sRGB."""
        ...

    def pictures(self, size: PictureSize, fps: float) -> Iterator[Bytes]:
        """What is seen at k / fps seconds, for k = 0, 1, ...; it begins again where it ends."""
        ...


@dataclass(frozen=True, slots=True)
class Clip:
    """A file that was looked at. Any thread may read it; each reading opens it anew.

    Attributes:
        name: how errors call it.
        moves: whether it holds more than one frame.
    """

    path: Path
    name: str
    moves: bool

    def first(self, size: PictureSize) -> Bytes:
        return _covering(next(self._frames())[1], size)

    def pictures(self, size: PictureSize, fps: float) -> Iterator[Bytes]:
        frames = self._endless()
        _, shown = next(frames)
        picture = _covering(shown, size)
        next_s, coming = next(frames)
        k = 0
        while True:
            latest = None
            while next_s <= k / fps + 1e-6:
                latest = coming
                next_s, coming = next(frames)
            if latest is not None:
                picture = _covering(latest, size)
            yield picture
            k += 1

    def _endless(self) -> Iterator[tuple[float, VideoFrame]]:
        """Frames with the seconds at which they are seen, pass after pass."""
        begins_s = 0.0
        while True:
            # However short its frames claim to be: each pass opens the file anew.
            ends_s = begins_s + _DEFAULT_FRAME_S
            for time_s, frame in self._frames():
                yield begins_s + time_s, frame
                ends_s = max(ends_s, begins_s + time_s + _lasts_s(frame))
            begins_s = ends_s

    def _frames(self) -> Iterator[tuple[float, VideoFrame]]:
        """Frames of one pass with their times, from 0 on; damage ends it early.

        Raises:
            BadInput: there is not one.
        """
        with _opened(self.path, self.name) as container:
            frames = container.decode(container.streams.video[0])
            first_s = last_s = 0.0
            count = 0
            while (frame := _next(frames)) is not None:
                time_s = float(frame.time) if frame.time is not None else last_s + _DEFAULT_FRAME_S
                if not count:
                    first_s = time_s
                last_s = max(last_s, time_s - first_s)
                yield last_s, frame
                count += 1
        if not count:
            raise _unusable(f"{self.name} is damaged: it has no picture that can be decoded.")


def open_clip(path: Path, name: str) -> Clip:
    """Look at a file.

    Args:
        name: how errors call it, at the beginning of a sentence.

    Raises:
        NotFound: there is no such file.
        TooLarge: its pictures have over 40 million pixels.
        BadInput: it is neither a picture nor a video, or is damaged.
    """
    clip = Clip(path, name, moves=False)
    return Clip(path, name, moves=len(list(islice(clip._frames(), 2))) > 1)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[InputContainer]:
    import av

    if not path.is_file():
        raise NotFound(f"{name} is no file.", remedy=_REMEDY, code="bad_background")
    with path.open("rb") as file:
        try:
            container = av.open(
                file,
                "r",
                metadata_errors="replace",
                options={"format_whitelist": ",".join(_FORMATS), "protocol_whitelist": "none"},
                io_open=_refuse_nested,
            )
        except Exception:  # PyAV raises what FFmpeg or its own bindings stumble over
            raise _unusable(f"{name} cannot be read as a picture or a video.") from None
        with container:
            if not container.streams.video:
                raise _unusable(f"{name} has no pictures.")
            codec = container.streams.video[0].codec_context
            if codec is None:
                raise _unusable(f"{name} is in a codec that cannot be decoded here.")
            if codec.width * codec.height > _MAX_PIXELS:
                raise TooLarge(
                    f"{name} has {codec.width} x {codec.height} pixels; the limit is "
                    f"{_MAX_PIXELS // 1_000_000} million.",
                    remedy="Reduce it first.",
                )
            yield container


def _refuse_nested(*_: Any) -> NoReturn:
    """A playlist asks for another file."""
    raise OSError("no other files")


def _next(frames: Iterator[VideoFrame]) -> VideoFrame | None:
    try:
        return next(frames, None)
    except LipstreamError:
        raise
    except Exception:
        return None


def _unusable(message: str) -> BadInput:
    return BadInput(message, remedy=_REMEDY, code="bad_background")


def _lasts_s(frame: VideoFrame) -> float:
    if frame.duration and frame.time_base:
        return float(frame.duration * frame.time_base)
    return _DEFAULT_FRAME_S


def _covering(frame: VideoFrame, size: PictureSize) -> Bytes:  # [H, W, 3]
    """Upright, scaled to cover the picture, its middle cut out."""
    quarters = round(frame.rotation / 90) % 4  # as phones note how they were held
    width, height = size.width_px, size.height_px
    if quarters % 2:
        width, height = height, width
    scale = max(width / frame.width, height / frame.height)
    wide = max(width, round(frame.width * scale))
    high = max(height, round(frame.height * scale))
    has_alpha = any(component.is_alpha for component in frame.format.components)
    scaled = frame.reformat(
        wide, high, "rgba" if has_alpha else "rgb24", interpolation="AREA" if scale < 1 else None
    ).to_ndarray()
    left, top = (wide - width) // 2, (high - height) // 2
    picture = scaled[top : top + height, left : left + width]
    if has_alpha:  # on white, as paper
        share = picture[..., 3:] / np.float32(255)
        picture = np.rint(255 + share * (picture[..., :3].astype(np.float32) - 255))
    return np.array(np.rot90(picture, quarters), np.uint8, order="C")
