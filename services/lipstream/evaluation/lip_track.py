"""The visible mouth over time, whatever produced it: what the lip metrics look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from lipstream.face.arkit import INDEX
from lipstream.face.motion import Floats, Motion
from lipstream.motion.controls import TONGUE_OUT, Control, aperture, lip_width

__all__ = ["RATE_HZ", "LipTrack"]

RATE_HZ = 100


@dataclass(frozen=True, slots=True)
class LipTrack:
    """Five curves at 100 Hz."""

    aperture: Floats  # [T] how far the lips are apart, 0 when shut
    jaw: Floats  # [T]
    width: Floats  # [T] negative when rounded
    tuck: Floats  # [T] lower lip under the upper teeth, 0..1
    tongue: Floats  # [T] tip of the tongue between the teeth, 0..1

    def __len__(self) -> int:
        return len(self.aperture)

    @classmethod
    def from_controls(cls, controls: Floats, fps: float = 25.0) -> Self:
        """Of articulatory controls `# [T, 10]`."""
        return cls(
            _resampled(aperture(controls), fps),
            _resampled(controls[:, Control.JAW], fps),
            _resampled(lip_width(controls), fps),
            _resampled(controls[:, Control.TUCK], fps),
            _resampled(controls[:, Control.TONGUE], fps),
        )

    @classmethod
    def from_motion(cls, motion: Motion) -> Self:
        """Of ARKit blendshapes, as an animator reads them."""
        weight = {name: motion.blendshapes[:, index] for name, index in INDEX.items()}
        lowered = (weight["mouthLowerDownLeft"] + weight["mouthLowerDownRight"]) / 2
        raised = (weight["mouthUpperUpLeft"] + weight["mouthUpperUpRight"]) / 2
        press = (weight["mouthPressLeft"] + weight["mouthPressRight"]) / 2
        stretch = (weight["mouthStretchLeft"] + weight["mouthStretchRight"]) / 2
        tuck = np.clip((weight["mouthRollLower"] - press) / 0.6, 0, 1)
        opening = np.maximum(weight["jawOpen"] - weight["mouthClose"], 0)
        parted = (opening + 0.30 * lowered + 0.20 * raised) * (1 - 0.5 * tuck)
        width = 2 * stretch - weight["mouthPucker"] - 0.5 * weight["mouthFunnel"]
        tongue = np.clip(weight["tongueOut"] / TONGUE_OUT, 0, 1)
        curves = (parted, weight["jawOpen"], width, tuck, tongue)
        return cls(*(_resampled(curve, motion.fps) for curve in curves))


def _resampled(curve: Floats, fps: float) -> Floats:
    """Linear between frames; a frame is shown at its number divided by the rate."""
    count = round(len(curve) * RATE_HZ / fps)
    if not len(curve):
        return np.zeros(0, np.float32)
    times_s = np.arange(count) / RATE_HZ
    return np.interp(times_s, np.arange(len(curve)) / fps, curve).astype(np.float32)
