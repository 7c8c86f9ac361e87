"""The lips: smile, frown, press, roll and the rest of ARKit's mouth shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from lipstream.face.expressions.anatomy import Anatomy
from lipstream.face.lip_field import ALONG, BULGE, LIP, per_ring

__all__ = ["lip_shapes"]

Field = NDArray[np.float64]  # [468, 3]
Grid = NDArray[np.float64]  # broadcastable to [2, 5, 11]
Formula = Callable[[Grid], tuple[Grid | float, Grid | float, Grid | float]]

_WHOLE = per_ring(1, 1, 1, 1, 0.6)
_SIDEWAYS = per_ring(1, 1, 1, 1, 0.9)
"""The shadow at the corners of a mouth lies outside the lips, and moves with them."""
_UPPER = np.where(LIP < 0, 1.0, 0.0)
_LOWER = 1 - _UPPER
_SMILING_CHEEKS = {
    (425, 205): (2.0, -3.2, -1.0),
    (280, 50): (0.6, -2.2, -1.0),
    (436, 216): (3.5, -3.4, 0.0),
}
"""By (left, right) landmark; x points outwards."""


def lip_shapes(anatomy: Anatomy) -> dict[str, Field]:
    """Every mouth shape but those of the jaw and the rounded ones. Millimetres at weight 1."""
    return {**_two_sided(anatomy), **_one_sided(anatomy)}


def _one_sided(anatomy: Anatomy) -> dict[str, Field]:
    formulas: dict[str, Formula] = {
        "mouthSmile": lambda w: (
            6.5 * w**1.4 * _SIDEWAYS,
            -5.5 * w**2 * _WHOLE + 0.4 * (1 - w) * w * LIP,
            2.5 * w**1.5,
        ),
        "mouthFrown": lambda w: (-w, 4.5 * w**2 * _WHOLE, 0.0),
        "mouthDimple": lambda w: (3 * w**2, -(w**2), 3 * w**2),
        "mouthStretch": lambda w: (5.5 * w**1.3 * _SIDEWAYS, 1.2 * w + 0.8 * LIP * BULGE, 1.5 * w),
        "mouthPress": lambda w: (
            0.8 * w**2,
            -LIP * per_ring(0, 0.6, 1.1, 1.5, 0.5) * np.minimum(1, w + 0.3),
            0.8 * np.minimum(1, w + 0.3),
        ),
        "mouthUpperUp": lambda w: (
            0.0,
            -5.0 * _UPPER * BULGE * np.minimum(1, w + 0.45) * _WHOLE,
            0.0,
        ),
        "mouthLowerDown": lambda w: (
            0.0,
            5.5 * _LOWER * BULGE**0.8 * np.minimum(1, w + 0.45) * _WHOLE,
            0.0,
        ),
    }
    shapes: dict[str, Field] = {}
    for name, formula in formulas.items():
        cheeks = _SMILING_CHEEKS if name == "mouthSmile" else {}
        for side, sign in (("Left", 1), ("Right", -1)):
            shapes[name + side] = _on_side(anatomy, sign, formula, cheeks)
    return shapes


def _on_side(
    anatomy: Anatomy,
    sign: int,
    formula: Formula,
    cheeks: Mapping[tuple[int, int], tuple[float, float, float]],
) -> Field:
    # A ramp that reaches a little over the middle, so that both sides add up without a dent.
    ramp = np.clip(sign * ALONG + 0.15, 0, 1.15) / 1.15
    outwards, dy, dz = formula(ramp)
    extra = {
        (left if sign > 0 else right): (sign * x, y, z)
        for (left, right), (x, y, z) in cheeks.items()
    }
    return anatomy.lips.spread(sign * outwards, dy, dz, extra=extra)


def _two_sided(anatomy: Anatomy) -> dict[str, Field]:
    spread = anatomy.lips.spread
    full = BULGE**0.7
    inwards = per_ring(4.5, 4, 3, 1.6, 0.3) * full
    return {
        "mouthRollLower": spread(
            dy=-_LOWER * per_ring(1.0, 2.4, 4.2, 6.2, 2.6) * full, dz=_LOWER * inwards
        ),
        "mouthRollUpper": spread(
            dy=_UPPER * per_ring(0.4, 1.4, 2.2, 3.0, 1.0) * full, dz=_UPPER * inwards
        ),
        "mouthShrugLower": spread(
            dy=-np.where(LIP > 0, 4.0, 1.2) * BULGE * _WHOLE,
            dz=-2.0 * _LOWER * BULGE,
            extra={199: (0, -2.5, 0), 200: (0, -3, 0)},
        ),
        "mouthShrugUpper": spread(
            dy=-np.where(LIP < 0, 2.5, 1.0) * BULGE * _WHOLE, dz=-1.2 * _UPPER * BULGE
        ),
        "mouthLeft": spread(dx=7 * _WHOLE),
        "mouthRight": spread(dx=-7 * _WHOLE),
    }
