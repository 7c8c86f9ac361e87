"""Brows, cheeks and nose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lipstream.face.expressions.anatomy import Anatomy
from lipstream.face.landmarks import BROWS, EYES, FACE_OVAL, NOSE, Ring
from lipstream.face.lip_field import LIP_POINTS, STILL

__all__ = ["brow_shapes", "cheek_shapes"]

Fields = dict[str, NDArray[np.float64]]  # [468, 3] each

_OTHER_SIDE = {"Left": "Right", "Right": "Left"}
_INNER_WEIGHTS = (0.0, 0.1, 0.35, 0.7, 1.0)
_OUTER_WEIGHTS = (1.0, 1.0, 0.7, 0.35, 0.1)
_RAISE_MM = 4.5

_PUFF = {
    **{205: (-3, 0, -4), 425: (3, 0, -4), 207: (-4, 0, -4), 427: (4, 0, -4)},
    **{187: (-4, 0, -3), 411: (4, 0, -3)},
}
_CHEEK_BONES = {"Left": (280, 425, 330), "Right": (50, 205, 101)}
_NOSTRILS = {"Left": (278, 327, 294, 358), "Right": (48, 98, 64, 129)}


def brow_shapes(anatomy: Anatomy) -> Fields:
    lid_edges = {index for eye in EYES.values() for index in eye.upper + eye.lower}
    held = lid_edges | set(FACE_OVAL[9:28]) | set(NOSE) | {FACE_OVAL[0]}
    shapes: Fields = {}
    for side, brow in BROWS.items():
        other = BROWS[_OTHER_SIDE[side]]
        # The other brow's inner end is free: skin between the brows moves with either.
        fixed = held | set(other.upper[:-1]) | set(other.lower[:-1])
        # Drawn together as well, the inner end most: the corrugator's pull.
        inwards = -1.0 if side == "Left" else 1.0
        lowered = [(2.0 * inwards * w, 1.6 + 2.4 * w, 0.3) for w in _INNER_WEIGHTS]
        raised = [(0, -_RAISE_MM * weight, 0) for weight in _OUTER_WEIGHTS]
        shapes["browDown" + side] = _spread(anatomy, brow.points, lowered * 2, fixed)
        shapes["browOuterUp" + side] = _spread(anatomy, brow.points, raised * 2, fixed)
    both = [index for brow in BROWS.values() for index in brow.points]
    inner = [(0, -_RAISE_MM * weight, 0) for weight in _INNER_WEIGHTS]
    shapes["browInnerUp"] = _spread(anatomy, both, inner * 4, held)
    return shapes


def cheek_shapes(anatomy: Anatomy) -> Fields:
    held = STILL | {int(index) for index in LIP_POINTS[:, : Ring.SKIN].reshape(-1)}
    shapes: Fields = {
        "cheekPuff": _spread(anatomy, tuple(_PUFF), list(_PUFF.values()), held),
    }
    for side, sign in (("Left", 1), ("Right", -1)):
        lifted = [(sign * 0.5, -3, -1.5), (sign * 0.3, -1.5, -0.5), (0, -2.2, -1)]
        shapes["cheekSquint" + side] = _spread(anatomy, _CHEEK_BONES[side], lifted, held)
        sneer = [(0, -2.2, 0)] * 4
        shapes["noseSneer" + side] = _spread(anatomy, _NOSTRILS[side], sneer, held)
    return shapes


def _spread(
    anatomy: Anatomy,
    points: Sequence[int],
    values: Sequence[tuple[float, float, float]],
    held: Iterable[int],
) -> NDArray[np.float64]:
    return anatomy.cage.spread(dict(zip(points, values, strict=True)), set(held) - set(points))
