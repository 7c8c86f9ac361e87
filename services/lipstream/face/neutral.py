"""Taking the photo's own expression off a face.

People smile into cameras, but speech starts from a mouth at rest. What is taken off is kept as
two shapes of the model, so that weight 1 of both gives the photo back exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lipstream.face.cage import Cage, Points
from lipstream.face.landmarks import EYES, INNER_LIP_CORNERS, LOWER_LIP, MESH_COUNT, UPPER_LIP, Ring
from lipstream.face.lip_field import ALONG, LIP, LIP_POINTS, LipField, per_ring

__all__ = ["NeutralFace", "neutralise"]

_REST_WIDTH_PER_EYE_DISTANCE = 0.72
_PARTED_MM = 3.0
"""Lips further apart show what lies between them."""
_MOST_BELOW_LIPS_MM = 3.6
"""The incisors' edge lies no lower than this under the line where the lips meet."""


@dataclass(frozen=True, slots=True)
class NeutralFace:
    """A face at rest, and the way back to the photo. Millimetres, head frame."""

    photo: Points  # [478, 3] as photographed
    neutral: Points  # [468, 3] lips closed, no smile
    smile: NDArray[np.float64]  # [468, 3] what the smile moved
    part: NDArray[np.float64]  # [468, 3] what opening the lips moved
    lip_gap_mm: float  # in the photo
    narrowing: float  # rest width of the mouth over the photo's, 0.7..1

    def resting(self, change: NDArray[np.float64]) -> NeutralFace:
        """The same photo of a face whose rest differs by `# [468, 3]`."""
        return replace(self, neutral=self.neutral + change, part=self.part - change)

    @property
    def is_parted(self) -> bool:
        return self.lip_gap_mm > _PARTED_MM

    @property
    def incisal_edge_y(self) -> float:
        """Height of the upper incisors' edge: seen in a toothy smile, typical otherwise."""
        lips_meet = self.neutral[[13, 14], 1].mean()
        if self.is_parted:
            # A mouth wide open shows more than the upper teeth.
            return float(min(self.photo[14, 1] - 1.2, lips_meet + _MOST_BELOW_LIPS_MM))
        return float(lips_meet + 2.2)

    @property
    def lower_edge_y(self) -> float:
        """Height of the lower incisors' edge: just covered by the lower lip at rest."""
        return float(self.neutral[14, 1] + 3.6)


def neutralise(photo: Points, cage: Cage) -> NeutralFace:
    """Split a photographed face (`# [478, 3]`) into rest, smile and parted lips."""
    lips = LipField(cage)
    right, left = INNER_LIP_CORNERS
    width = photo[left, 0] - photo[right, 0]
    iris_distance = np.linalg.norm(photo[EYES["Right"].iris[0]] - photo[EYES["Left"].iris[0]])
    narrowing = float(np.clip(_REST_WIDTH_PER_EYE_DISTANCE * iris_distance / width, 0.70, 1.0))

    mesh = photo[:MESH_COUNT]
    unsmile = _unsmile(mesh, narrowing, lips)
    relaxed = mesh + unsmile
    close, gap_mm = _close_lips(relaxed, lips)
    closed = relaxed + close
    close = close + _thicken_lips(closed, narrowing, lips)
    return NeutralFace(
        photo=photo,
        neutral=relaxed + close,
        smile=-unsmile,
        part=-close,
        lip_gap_mm=gap_mm,
        narrowing=narrowing,
    )


def _unsmile(mesh: Points, narrowing: float, lips: LipField) -> NDArray[np.float64]:
    """Narrow the mouth, level raised corners, let the cheeks down."""
    centre = mesh[[13, 14]].mean(0)
    corner_y = mesh[list(INNER_LIP_CORNERS), 1].mean()
    raised = max(0.0, centre[1] - corner_y + 0.3) * 0.9
    falloff = per_ring(1, 1, 1, 1, 0.55)
    edge = np.abs(ALONG)
    lost = 1 - narrowing
    ease = lost / 0.3
    cheeks = {425: (-2, 3.2, 1), 205: (2, 3.2, 1), 280: (-0.6, 2.2, 1), 50: (0.6, 2.2, 1)}
    return lips.spread(
        -lost * (mesh[LIP_POINTS, 0] - centre[0]) * falloff,
        raised * edge**1.6 * falloff,
        -8 * lost * edge**1.5 * falloff,
        extra={i: (x * ease, y * ease, z * ease) for i, (x, y, z) in cheeks.items()},
    )


def _close_lips(mesh: Points, lips: LipField) -> tuple[NDArray[np.float64], float]:
    """Bring the lips together; the upper lip goes further when it was drawn off the teeth."""
    inner = int(Ring.INNER)
    gap = mesh[list(LOWER_LIP[inner])] - mesh[list(UPPER_LIP[inner])]  # [11, 3]
    gap_mm = float(gap[5, 1])
    upper_share = 0.56 if gap_mm > _PARTED_MM else 0.5
    share = np.where(LIP < 0, upper_share, upper_share - 1) * per_ring(1, 0.95, 0.9, 0.8, 0.35)
    dx, dy, dz = (share * gap[None, None, :, axis] for axis in range(3))
    return lips.spread(dx, dy, dz), gap_mm


def _thicken_lips(mesh: Points, narrowing: float, lips: LipField) -> NDArray[np.float64]:
    """Give back the height that a smile's stretch took from the lips, and level their line."""
    height_gain = (1 / narrowing) ** 0.8 - 1
    ring = np.minimum(np.arange(5), int(Ring.BORDER))
    outer_y = mesh[LIP_POINTS[:, ring], 1]
    inner_y = mesh[LIP_POINTS[:, :1], 1]
    dy = height_gain * (outer_y - inner_y) * per_ring(1, 1, 1, 1, 0.45)
    if narrowing < 0.97:
        corner_y = mesh[list(INNER_LIP_CORNERS), 1].mean()
        dy = dy - 0.35 * (inner_y - corner_y) * per_ring(1, 0.95, 0.9, 0.8, 0.35)
    return lips.spread(dy=dy)
