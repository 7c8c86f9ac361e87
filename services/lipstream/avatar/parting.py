"""What parted lips show: the teeth of a photo are found, and those of the rig put in their place.

A mouth that is open says nothing of what is seen in it. Between the lips of a smile there are the
upper teeth; between those of a talker also the tongue, the lower teeth, or the dark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.filling import sample
from lipstream.face.landmarks import LOWER_LIP, UPPER_LIP, Ring
from lipstream.face.parts import LOWER_TEETH, UPPER_TEETH
from lipstream.face.rig import Rig
from lipstream.face.shape_names import PHOTO_PART

__all__ = ["TeethSeen", "find_teeth", "place_teeth"]

Array = NDArray[np.float64]

_ROWS, _COLUMNS = 24, 13
_MIDDLE = slice(3, 8)
"""Of the eleven points of a lip's edge: the incisors lie between these."""
_LEAST_BRIGHTNESS = 0.75
"""Of teeth, over that of the lips: those of a mouth that is hardly lit are darker than they."""
_BRIGHT = 1.45
"""Over the lips' brightness, what is so bright is a tooth, of gold or in coloured light."""
_LEAST_WHITE = 0.30
"""0 is as red as the lips, 1 as white as teeth in this light."""
_WHITE_CHROMA = np.array([0.90, 0.85, 0.77])
_SKIN_CHROMA = np.array([1.20, 0.97, 0.83])
_SKIN_POINTS = [50, 280, 205, 425, 9]
_UPPER_BY = 0.25
"""Share of the way down by which the upper teeth begin: the lip shades and hides their necks."""
_HIDDEN_MM = 1.0
"""How far behind a lip the edge of teeth lies that are not seen."""


@dataclass(frozen=True, slots=True)
class TeethSeen:
    """Where teeth end between the lips: 0 at the upper lip's edge, 1 at the lower one's."""

    upper: float | None  # the cutting edge of the upper ones
    lower: float | None


def place_teeth(rig: Rig, pixels: NDArray[np.uint8], landmarks_px: Array) -> Rig:
    """The rig whose teeth and tongue are, as photographed, where the photo has its teeth.

    Elsewhere they stay where they are: `PHOTO_PART` alone moves them. Lips that are hardly parted
    show too little to be judged.

    Args:
        pixels: `# [512, 512, 3]`.
        landmarks_px: `# [478, 3]`.
    """
    face = rig.face
    if not face.is_parted:
        return rig
    seen = find_teeth(pixels, landmarks_px)
    top, bottom = face.photo[[13, 14], 1]
    upper_y = top - _HIDDEN_MM if seen.upper is None else top + seen.upper * (bottom - top)
    lower_y = bottom + _HIDDEN_MM if seen.lower is None else top + seen.lower * (bottom - top)
    lowered = lower_y - face.lower_edge_y
    moves = {
        UPPER_TEETH.name: upper_y - face.incisal_edge_y,
        LOWER_TEETH.name: lowered,
        "tongue": lowered,
    }
    parts = []
    for part in rig.parts:
        if part.name in moves:
            moved = np.tile([0.0, moves[part.name], 0.0], (len(part.vertices), 1))
            part = replace(part, shapes={**part.shapes, PHOTO_PART: moved})
        parts.append(part)
    return replace(rig, parts=tuple(parts))


def find_teeth(pixels: NDArray[np.uint8], landmarks_px: Array) -> TeethSeen:
    """Rows between the middles of the lips that are as white as teeth, told from lips and tongue.

    Args:
        pixels: `# [512, 512, 3]`.
        landmarks_px: `# [478, 3]`.
    """
    image, points = pixels / 255.0, landmarks_px[:, :2]
    edges = [points[list(lip[Ring.INNER])][_MIDDLE] for lip in (UPPER_LIP, LOWER_LIP)]
    x = np.linspace(max(e[0, 0] for e in edges), min(e[-1, 0] for e in edges), _COLUMNS)
    top, bottom = (np.interp(x, e[:, 0], e[:, 1]) for e in edges)
    share = (np.arange(_ROWS) + 0.5)[:, None] / _ROWS
    y = top + share * (bottom - top)
    grid = np.stack([np.broadcast_to(x, y.shape), y], -1).reshape(-1, 2)
    rows = np.median(sample(image, grid).reshape(_ROWS, _COLUMNS, 3), axis=1)

    red = [i for lip in (UPPER_LIP, LOWER_LIP) for k in (Ring.WET, Ring.VERMILION) for i in lip[k]]
    lip = np.median(sample(image, points[red]), axis=0)
    skin = np.median(sample(image, points[_SKIN_POINTS]), axis=0)
    white = _WHITE_CHROMA * np.sqrt(skin / skin.mean() / _SKIN_CHROMA)
    to_white = white / white.mean() - lip / lip.mean()
    chroma = rows / rows.mean(1, keepdims=True) - lip / lip.mean()
    brightness = rows.mean(1) / lip.mean()
    whiteness = chroma @ to_white / (to_white @ to_white)
    teeth = (whiteness > _LEAST_WHITE) & (brightness > _LEAST_BRIGHTNESS) | (brightness > _BRIGHT)
    pieces, count = ndi.label(teeth)
    upper = lower = None
    for (rows_of_piece,) in ndi.find_objects(pieces, count):
        if rows_of_piece.start <= _UPPER_BY * _ROWS:
            upper = rows_of_piece.stop / _ROWS
        elif lower is None:
            lower = rows_of_piece.start / _ROWS
    return TeethSeen(upper, lower)
