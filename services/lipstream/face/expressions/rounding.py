"""Rounded lips: funnel and pucker.

Both are absolute: the rings of the lips go to ellipses, whatever the mouth looks like at rest.
Plain displacements leave a V-shaped mouth, since wide and narrow mouths need different ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.face.expressions.anatomy import Anatomy
from lipstream.face.landmarks import Ring
from lipstream.face.lip_field import ALONG, BULGE, LIP, LIP_POINTS, per_ring

__all__ = ["rounding_shapes"]


@dataclass(frozen=True, slots=True)
class _Ellipse:
    """A rounded mouth. Millimetres, but for the width."""

    half_width: float  # of the opening, in half mouth widths
    upper: float  # height of the opening above the lips' line
    lower: float
    upper_lip: float  # thickness of the vermilion
    lower_lip: float
    forward: tuple[float, float, float, float]  # by ring, inner to border


_FUNNEL = _Ellipse(0.64, 4.6, 4.8, 6.2, 7.6, (4.5, 6.0, 6.4, 4.8))
_PUCKER = _Ellipse(0.50, 0.1, 0.1, 6.4, 7.6, (6.0, 8.5, 8.6, 6.5))


def rounding_shapes(anatomy: Anatomy) -> dict[str, NDArray[np.float64]]:  # [468, 3] each
    return {
        "mouthFunnel": _to_ellipse(anatomy, _FUNNEL),
        "mouthPucker": _to_ellipse(anatomy, _PUCKER),
    }


def _to_ellipse(anatomy: Anatomy, target: _Ellipse) -> NDArray[np.float64]:
    # The ring of skin around the lips follows the border's displacement.
    ring = np.minimum(np.arange(5), int(Ring.BORDER))
    start = anatomy.neutral[LIP_POINTS[:, ring]]  # [2, 5, 11, 3]
    out = per_ring(0, 0.33, 0.66, 1, 1)
    thickness = np.where(LIP < 0, target.upper_lip, target.lower_lip) * out
    height = np.where(LIP < 0, target.upper, target.lower)
    half_width = target.half_width * anatomy.half_mouth_mm
    side = half_width + 0.8 * min(target.upper_lip, target.lower_lip) * out
    centre = anatomy.mouth_centre
    x = centre[0] + side * np.sin(np.pi / 2 * ALONG)
    y = centre[1] + LIP * (height + thickness) * BULGE
    forward = -per_ring(*target.forward, target.forward[-1]) * (0.35 + 0.65 * BULGE)

    follow = np.where(np.arange(5)[None, :, None] == Ring.SKIN, 0.55 + 0.30 * ALONG**2, 1.0)
    depth_follow = follow * per_ring(1, 1, 1, 1, 0.8)
    return anatomy.lips.spread(
        (x - start[..., 0]) * follow, (y - start[..., 1]) * follow, forward * depth_follow
    )
