"""How much a generator varies: what it makes of one recording under several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from lipstream.errors import BadInput
from lipstream.evaluation.lip_track import LipTrack
from lipstream.evaluation.rest import MOUTH_SHAPES
from lipstream.face.motion import Floats, Motion

__all__ = ["DiversityScore", "diversity"]


@dataclass(frozen=True, slots=True)
class DiversityScore:
    mouth: float
    """Mean over pairs and frames of the distance between the mouths' ARKit weights, `|a - b|`."""
    aperture: float
    """Mean difference of the lips' opening."""
    agreement_r: float
    """Lowest correlation of the opening between two takes: they vary, yet say the same."""


def diversity(takes: Sequence[Motion]) -> DiversityScore:
    """
    Args:
        takes: of the same speech, each under another seed.

    Raises:
        BadInput: there are fewer than two, or they differ in length.
    """
    if len(takes) < 2 or len({len(take) for take in takes}) > 1 or len(takes[0]) < 2:
        raise BadInput("Diversity needs at least two takes of the same speech.")
    mouths = [take.blendshapes[:, MOUTH_SHAPES] for take in takes]
    openings = [LipTrack.from_motion(take).aperture for take in takes]
    pairs = list(combinations(range(len(takes)), 2))
    distances = [np.linalg.norm(mouths[a] - mouths[b], axis=1).mean() for a, b in pairs]
    differences = [np.abs(openings[a] - openings[b]).mean() for a, b in pairs]
    agreements = [_correlation(openings[a], openings[b]) for a, b in pairs]
    return DiversityScore(
        float(np.mean(distances)), float(np.mean(differences)), float(min(agreements))
    )


def _correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale else 1.0
