"""Lids: blink, squint, wide, and how they follow the gaze."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.face.expressions.anatomy import Anatomy
from lipstream.face.landmarks import BROWS, EYES, FACE_OVAL, NOSE, Eye
from lipstream.face.lip_field import LIP_POINTS

__all__ = ["lid_shapes"]

_OTHER_SIDE = {"Left": "Right", "Right": "Left"}
_FOLLOW: dict[str, tuple[float, float, float, float]] = {
    "eyeSquint": (0.22, -0.30, 0.15, -0.30),
    "eyeWide": (-0.22, 0.04, -0.15, 0.0),
    "eyeLookDown": (0.35, 0.08, 0.20, 0.03),
    "eyeLookUp": (-0.15, -0.08, -0.08, 0.0),
}
"""Share of the eye's opening by which upper edge, lower edge, upper and lower fold move down."""


def lid_shapes(anatomy: Anatomy) -> dict[str, NDArray[np.float64]]:  # [468, 3] each
    shapes: dict[str, NDArray[np.float64]] = {}
    for side, eye in EYES.items():
        mesh = anatomy.neutral
        opening = mesh[list(eye.lower)] - mesh[list(eye.upper)]  # [9, 3]
        held = _held(side)
        # Corners stay; the arch lets the closed edge curve down as a real lid does.
        arch = (1 - np.linspace(-1, 1, 9) ** 4)[:, None]
        blink = (
            0.88 * opening + arch * [0, 0.5, 0] + [0, 0, -0.2],
            -0.12 * opening,
            0.38 * opening * arch,
            -0.04 * opening,
        )
        shapes["eyeBlink" + side] = _spread(anatomy, eye, blink, held)
        for name, shares in _FOLLOW.items():
            rows = tuple(share * opening for share in shares)
            shapes[name + side] = _spread(anatomy, eye, rows, held)
    return shapes


def _held(side: str) -> set[int]:
    other = _OTHER_SIDE[side]
    brows = (index for brow in BROWS.values() for index in brow.points)
    lips = (int(index) for index in LIP_POINTS.reshape(-1))
    return {*FACE_OVAL, *NOSE, *lips, *EYES[other].points, *brows}


def _spread(
    anatomy: Anatomy, eye: Eye, rows: tuple[NDArray[np.float64], ...], held: set[int]
) -> NDArray[np.float64]:
    """Field of displacements for (upper edge, lower edge, upper fold, lower fold)."""
    upper, lower, upper_fold, lower_fold = rows
    handles: dict[int, NDArray[np.float64]] = {}
    # Edges last: corners that a fold shares belong to the edge.
    for line, values in (
        (eye.upper_fold, upper_fold),
        (eye.lower_fold, lower_fold),
        (eye.upper, upper),
        (eye.lower, lower),
    ):
        handles.update(zip(line, values, strict=True))
    return anatomy.cage.spread(handles, held - set(handles))
