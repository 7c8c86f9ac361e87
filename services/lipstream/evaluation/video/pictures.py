"""The pictures of a video file with their times, on the clock of its sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput, LipstreamError

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["Picture", "pictures"]

FrameT = TypeVar("FrameT")


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame."""

    time_s: float
    """When it is shown, counted from the first sample of the sound."""
    pixels: NDArray[np.uint8]  # [H, W, 3] sRGB, upright


def pictures(path: Path) -> Iterator[Picture]:
    """Decode a video frame by frame, at whatever rate, constant or not.

    A file that is damaged on the way yields what came before.

    Raises:
        BadInput: this is no video, or it holds no picture.
    """
    from lipstream.avatar.video.footage import upright

    sound_starts_s = _sound_start_s(path)
    count = 0
    with _opened(path) as container:
        if not container.streams.video:
            raise BadInput("The file has no pictures.", remedy="Send a video with sound.")
        frames = container.decode(container.streams.video[0])
        while (frame := _next(frames)) is not None:
            if frame.time is not None:
                yield Picture(float(frame.time) - sound_starts_s, upright(frame))
                count += 1
    if not count:
        raise BadInput("No picture of the video can be decoded.", remedy="Export it again.")


def _sound_start_s(path: Path) -> float:
    """Time of the first sample that a decoder gives out, without the encoder's lead-in."""
    with _opened(path) as container:
        if not container.streams.audio:
            raise BadInput("The file has no audio track.", remedy="Send a video with sound.")
        frame = _next(container.decode(container.streams.audio[0]))
        return float(frame.time) if frame is not None and frame.time is not None else 0.0


def _opened(path: Path) -> InputContainer:
    import av

    try:
        return av.open(str(path), metadata_errors="replace")
    except LipstreamError:
        raise
    except Exception:  # PyAV raises what FFmpeg or its own bindings stumble over
        raise BadInput("The file is no video that FFmpeg reads.") from None


def _next(frames: Iterator[FrameT]) -> FrameT | None:
    try:
        return next(frames, None)
    except Exception:
        return None
