"""Recorded motion for tests: somebody who speaks in a manner of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lipstream.face.motion import Motion
from lipstream.motion.controls import CONTROL_COUNT, Control, to_blendshapes

__all__ = ["speaking_clip"]


def speaking_clip(
    openness: float, *, seconds: float = 4.0, fps: float = 25.0, seed: int = 0
) -> Motion:
    """A mouth that opens so far three times a second, and spreads with it."""
    times_s = np.arange(round(seconds * fps)) / fps
    phase = np.random.default_rng(seed).uniform(0, 6)
    controls = np.zeros((len(times_s), CONTROL_COUNT), np.float32)
    controls[:, Control.JAW] = openness * (0.5 + 0.5 * np.sin(6 * np.pi * times_s + phase))
    controls[:, Control.SPREAD] = 0.5 * openness
    return replace(Motion.rest(len(controls), fps), blendshapes=to_blendshapes(controls))
