"""Does the mouth rest when nobody speaks: on silence, noise and music, and in pauses of speech."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipstream.face.arkit import BLENDSHAPES
from lipstream.face.motion import Motion

__all__ = ["MOUTH_SHAPES", "RestScore", "rest_score"]

MOUTH_SHAPES: tuple[int, ...] = tuple(
    index
    for index, name in enumerate(BLENDSHAPES)
    if name.startswith(("jaw", "mouth", "tongue", "cheekPuff"))
)


@dataclass(frozen=True, slots=True)
class RestScore:
    frames: int
    moving_share: float
    """Share of the frames in which any mouth shape is over 0.02."""
    largest: float
    """Largest weight of any mouth shape."""
    residual: float
    """Mean over the frames of the largest weight of any mouth shape."""


def rest_score(motion: Motion) -> RestScore:
    """How still the mouth is over a whole motion."""
    mouth = motion.blendshapes[:, MOUTH_SHAPES]
    if not len(mouth):
        return RestScore(0, 0.0, 0.0, 0.0)
    peaks = mouth.max(axis=1)
    return RestScore(
        len(mouth), float(np.mean(peaks > 0.02)), float(peaks.max()), float(peaks.mean())
    )
