"""What a live stream of motion is at one moment, for another replica to go on from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Self

import numpy as np

from lipstream.errors import BadInput
from lipstream.inference import pack, unpack
from lipstream.motion.generator import MotionGenerator, StateT

__all__ = ["LiveMotionState"]

_FEATURE_US = 20_000
_FURTHEST_US, _MOST = 1 << 62, 1 << 45
"""Far beyond any stream, and times counted on from there still fit 64 bits."""


@dataclass(frozen=True, slots=True)
class LiveMotionState(Generic[StateT]):
    """Streaming state and clock of one utterance."""

    motion: StateT
    fps: float
    start_us: int
    """When the first feature is heard."""
    heard: int = 0
    """Features taken."""
    frames: int = 0
    """Frames given."""

    @property
    def input_us(self) -> int:
        """When the next feature is heard."""
        return self.start_us + self.heard * _FEATURE_US

    @property
    def output_us(self) -> int:
        """When the next frame is seen."""
        return self.start_us + round(self.frames * 1e6 / self.fps)

    def encode(self) -> bytes:
        return pack(
            {
                "counts": np.array((self.start_us, self.heard, self.frames), np.int64),
                "motion": np.frombuffer(self.motion.encode(), np.uint8),
            }
        )

    @classmethod
    def decode(cls, data: bytes, generator: MotionGenerator[StateT]) -> Self:
        """Inverse of `encode`.

        Raises:
            BadInput: these bytes are no such state, or not one of this generator.
        """
        arrays = unpack(data)
        try:
            start_us, heard, frames = (int(number) for number in arrays["counts"])
            motion = generator.decode_state(arrays["motion"].tobytes())
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput("This is not the state of a live stream of motion.") from error
        if abs(start_us) > _FURTHEST_US or not (0 <= heard <= _MOST and 0 <= frames <= _MOST):
            raise BadInput("This is not the state of a live stream of motion.")
        return cls(motion, generator.fps, start_us, heard, frames)
