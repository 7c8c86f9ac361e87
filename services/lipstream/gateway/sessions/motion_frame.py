"""One frame of motion as it passes through the gateway: bytes, of which only the mouth is touched.

The gateway holds no numerics; 30 numbers a frame are multiplied in plain Python, and only while a
mouth eases to rest.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from lipstream.errors import Internal
from lipstream.v1 import common_pb2

__all__ = ["MotionFrame", "frames_of", "mouth_columns"]

_WIDTHS = (52, 3, 3, 4)
_MOUTH_PREFIXES = ("jaw", "mouth", "tongue")


@dataclass(frozen=True, slots=True)
class MotionFrame:
    """A frame's arrays, little-endian float32."""

    pts_us: int
    blendshapes: bytes  # [52]
    rotation: bytes  # [3]
    translation: bytes  # [3]
    gaze: bytes  # [4]

    def eased(self, factor: float, columns: tuple[int, ...]) -> MotionFrame:
        """With this much of the mouth's motion."""
        if factor == 1:
            return self
        weights = array("f", self.blendshapes)
        for column in columns:
            weights[column] *= factor
        return replace(self, blendshapes=weights.tobytes())

    def seen(self, pts_us: int) -> MotionFrame:
        """At another time."""
        return self if pts_us == self.pts_us else replace(self, pts_us=pts_us)

    def message(self) -> common_pb2.MotionFrames:
        return common_pb2.MotionFrames(
            blendshapes=self.blendshapes,
            rotation=self.rotation,
            translation=self.translation,
            gaze=self.gaze,
        )

    def payload(self) -> bytes:
        """All 62 numbers."""
        return self.blendshapes + self.rotation + self.translation + self.gaze


def frames_of(frames: common_pb2.MotionFrames, pts_us: int, frame_us: int) -> Iterator[MotionFrame]:
    """The frames of a message, the first of which is seen at `pts_us`.

    Raises:
        Internal: the stage sent arrays of different lengths.
    """
    arrays = (frames.blendshapes, frames.rotation, frames.translation, frames.gaze)
    counts = {len(data) // (4 * width) for data, width in zip(arrays, _WIDTHS, strict=True)}
    if len(counts) != 1:
        raise Internal("The motion stage sent arrays of different lengths.")
    for k in range(counts.pop()):
        parts = (
            data[4 * width * k : 4 * width * (k + 1)]
            for data, width in zip(arrays, _WIDTHS, strict=True)
        )
        yield MotionFrame(pts_us + k * frame_us, *parts)


@cache
def mouth_columns(names: tuple[str, ...]) -> tuple[int, ...]:
    """Which of the blendshapes move the mouth."""
    return tuple(k for k, name in enumerate(names) if name.startswith(_MOUTH_PREFIXES))
