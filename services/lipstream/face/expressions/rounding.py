"""Rounded lips: funnel and pucker.

Both are absolute where the lips meet: that line goes to an ellipse, whatever the mouth looks like
at rest. Plain displacements leave a V-shaped mouth, since wide and narrow mouths need different
ones. The red of the lips keeps the person's own outline around it.

How narrow: the inner corners of ten GRID talkers come to 0.75 to 0.95 of their width at rest in
"white", "two" and "blue" by re-detected landmarks, those of ICT-FaceKit's mouthPucker to 0.76.
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
    fullness: float  # what the lips gain in height, in their own height
    roundness: float  # 0 the lips' own outline, 1 an ellipse
    forward: tuple[float, float, float, float, float]  # by ring, inner to skin


_FUNNEL = _Ellipse(0.80, 4.4, 5.2, 0.06, 0.3, (4.5, 6.0, 6.4, 4.8, 3.8))
_PUCKER = _Ellipse(0.66, 0.1, 0.1, 0.15, 0.5, (6.0, 8.5, 8.6, 6.5, 5.2))


def rounding_shapes(anatomy: Anatomy) -> dict[str, NDArray[np.float64]]:  # [468, 3] each
    return {
        "mouthFunnel": _to_ellipse(anatomy, _FUNNEL),
        "mouthPucker": _to_ellipse(anatomy, _PUCKER),
    }


def _to_ellipse(anatomy: Anatomy, target: _Ellipse) -> NDArray[np.float64]:
    start = anatomy.neutral[LIP_POINTS]  # [2, 5, 11, 3]
    centre = anatomy.mouth_centre
    corners = start[:, :, [0, -1], 0]  # [2, 5, 2]
    own_half_width = np.ptp(corners, axis=-1)[..., None] / 2
    # Beyond the line where they meet, the lips reach as far sideways as they did.
    beyond = own_half_width - own_half_width[:, :1]
    half_width = target.half_width * anatomy.half_mouth_mm + beyond
    place = (start[..., 0] - corners.mean(-1)[..., None]) / own_half_width  # -1..1
    bow = np.sqrt(np.maximum(1 - place**2, 0))

    own_height = LIP * (start - start[:, :1])[..., 1]
    ellipse = own_height.max(-1, keepdims=True) * bow
    height = own_height + target.roundness * (np.maximum(ellipse, own_height) - own_height)
    height = height * (1 + target.fullness)
    opening = np.where(LIP < 0, target.upper, target.lower) * bow[:, :1]
    # The skin around the lips follows them; at the corners further, or the shadow that lies
    # beyond them in the photo would make the mouth look wider than it is.
    on_skin = np.arange(5)[:, None] == Ring.SKIN
    follow = np.where(on_skin, 0.55 + 0.45 * ALONG**2, 1.0)
    gather = np.where(on_skin, 0.55 + 0.75 * ALONG**2, 1.0)
    return anatomy.lips.spread(
        (centre[0] + half_width * place - start[..., 0]) * gather,
        (centre[1] + LIP * (opening + height) - start[..., 1]) * follow,
        -per_ring(*target.forward) * (0.35 + 0.65 * BULGE),
    )
