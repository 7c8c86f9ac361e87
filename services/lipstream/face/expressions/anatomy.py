"""What the expressions need to know of one face at rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipstream.face.cage import Cage, Points
from lipstream.face.landmarks import INNER_LIP_CORNERS
from lipstream.face.lip_field import LipField

__all__ = ["Anatomy"]


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One face at rest with the tools that shape it."""

    cage: Cage
    neutral: Points  # [468, 3] mm

    @property
    def lips(self) -> LipField:
        return LipField(self.cage)

    @property
    def mouth_centre(self) -> Points:  # [3]
        centre: Points = self.neutral[[13, 14]].mean(0)
        return centre

    @property
    def half_mouth_mm(self) -> float:
        right, left = INNER_LIP_CORNERS
        return float(self.neutral[left, 0] - self.neutral[right, 0]) / 2

    @property
    def ears(self) -> Points:  # [3]
        """Between the points where the mesh ends in front of the ears."""
        ears: Points = self.neutral[[234, 454]].mean(0)
        return ears

    @property
    def jaw_hinge(self) -> Points:  # [3]
        """The jaw's axis runs through this point, parallel to x."""
        return np.asarray(self.ears + np.array([0.0, 2.0, 8.0]))
