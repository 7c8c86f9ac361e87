"""An avatar's pictures, and what was seen on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.quality.sheet import PREVIEW_CELLS, Window, compose_sheet, pose_of
from lipstream.avatar.quality.viseme_check import (
    REST,
    Looker,
    VisemeCheck,
    check_visemes,
    commanded_landmarks,
)
from lipstream.render import SplatRenderer

__all__ = ["Assessment", "assess"]

_CELL_PX = 256
_FACE_HEIGHTS = 1.7
"""Side of what a cell of the sheet shows."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The same for an avatar of a photo, of a video, or of another program."""

    visemes: VisemeCheck
    rest: NDArray[np.uint8]  # [S, S, 3] the avatar at rest
    sheet: NDArray[np.uint8]  # [H, W, 3] poses side by side, see `PREVIEW_CELLS`


def assess(renderer: SplatRenderer, looker: Looker) -> Assessment:
    """Draw the poses of the preview sheet, and look at them again: half a second."""
    poses = {cell.label: pose_of(renderer, cell) for cell in PREVIEW_CELLS}
    pictures = {label: renderer.rgb(pose).copy() for label, pose in poses.items()}
    window = _around(commanded_landmarks(renderer.model, poses[REST]))
    sheet = compose_sheet(pictures.items(), cell_px=_CELL_PX, window=window)
    return Assessment(
        visemes=check_visemes(renderer.model, poses, pictures, looker),
        rest=pictures[REST],
        sheet=np.asarray(sheet, np.uint8),
    )


def _around(landmarks: NDArray[np.float64]) -> Window:  # [468, 2] picture widths
    """A square with the face in its middle, as far as the picture goes."""
    low, high = landmarks.min(0), landmarks.max(0)
    side = min(_FACE_HEIGHTS * float(high[1] - low[1]), 1.0)
    left, top = np.clip((low + high - side) / 2, 0, 1 - side).tolist()
    return left, top, left + side, top + side
