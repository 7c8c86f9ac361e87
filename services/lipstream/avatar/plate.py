"""The plate: the photo with the head taken out, seen when the head moves.

Behind the head goes a smooth continuation of the background; behind the jaw, of the neck.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.filling import fill_smoothly
from lipstream.avatar.matte import HeadMatte
from lipstream.avatar.regions import Mask, Regions

__all__ = ["Plate", "paint_plate"]

_NOSE_TIP = 4
_SKIN_CHROMA = 0.075
_JAW_MARGIN_PX = 5
"""The rim carries this much of the photo beyond the face: the plate must not show it again."""


@dataclass(frozen=True, slots=True)
class Plate:
    """Background and torso."""

    image: NDArray[np.float64]  # [512, 512, 3] 0..1
    neck: Mask  # neck skin beside and below the jaw, in the photo
    neck_span: tuple[int, int]  # columns of the neck under the jaw


def paint_plate(photo: NDArray[np.float64], regions: Regions, matte: HeadMatte) -> Plate:
    """Take the head out of the photo.

    Args:
        photo: `# [512, 512, 3]` 0..1.
    """
    rows, columns, face, person = regions.rows, regions.columns, regions.face, regions.person
    beneath = regions.beneath
    below_face = beneath & (person > 0.5) & ~matte.head
    grown = ndi.binary_dilation
    around_head = grown(matte.head, iterations=10) & ~beneath
    near_head = grown(matte.head, iterations=3) & ~beneath
    torso = person > 0.15
    hole = (
        face
        | near_head
        | (around_head & ((rows < regions.mouth_y) | ~torso))
        | (_leftover_hair(regions, matte) & ~beneath)
        | (grown(face, iterations=_JAW_MARGIN_PX) & below_face)
        | (grown(face, iterations=6) & ~torso)
    )
    anybody = grown(matte.head, iterations=14) | grown(person > 0.25, iterations=3)
    background = fill_smoothly(photo, ~anybody)
    image = np.where(hole[..., None], background, photo)

    skin = _neck_skin(photo, regions)
    span = _neck_span(skin, regions)
    neck = fill_smoothly(photo, skin)
    depth = np.clip(-regions.below_jaw / (0.35 * regions.face_height), 0, 1)[..., None]
    column = (columns >= span[0]) & (columns <= span[1]) & (rows > regions.landmarks[_NOSE_TIP, 1])
    behind_jaw = column & hole & (ndi.binary_erosion(face, iterations=3) | (regions.below_jaw > -3))
    image = np.where(behind_jaw[..., None], neck * (1 - 0.05 * depth), image)
    soft = cv2.GaussianBlur(image, (0, 0), 2.0)
    return Plate(np.where(hole[..., None], soft, image), below_face, span)


def _leftover_hair(regions: Regions, matte: HeadMatte) -> Mask:
    """Wisps beside the head that the matte missed: they would stay behind when it moves."""
    near = ndi.binary_dilation(matte.head, iterations=24)
    beside = near & (regions.person > 0.1) & (regions.rows < regions.chin_y - 4)
    return np.asarray(ndi.binary_dilation(beside, iterations=3))


def _neck_skin(photo: NDArray[np.float64], regions: Regions) -> Mask:
    """Pixels under the jaw whose colour is that of the skin right under it."""
    depth = regions.below_jaw
    known = (depth > _JAW_MARGIN_PX + 1) & regions.jaw_columns[None, :] & (regions.person > 0.85)
    known &= regions.rows < regions.chin_y + 0.30 * regions.face_height
    under = photo[known & (depth < 20)]
    if len(under):
        typical = np.median(under, axis=0)
    else:
        x, y = regions.landmarks[13, :2].astype(int).clip(0, CANVAS_PX - 1)
        typical = photo[y, x]

    def chroma(colors: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([colors[..., 0] - colors[..., 1], colors[..., 1] - colors[..., 2]], -1)

    brightness = photo.mean(-1) - typical.mean()
    similar = np.abs(chroma(photo) - chroma(typical)).max(-1) < _SKIN_CHROMA
    return np.asarray(known & similar & (brightness > -0.30) & (brightness < 0.28))


def _neck_span(skin: Mask, regions: Regions) -> tuple[int, int]:
    columns = (skin & (regions.below_jaw < 30)).sum(0) >= 7
    pieces, count = ndi.label(columns)
    if count:
        widest = np.bincount(pieces)[1:].argmax() + 1
        inside = np.flatnonzero(pieces == widest)
        if len(inside) > 10:
            return int(inside[0]), int(inside[-1])
    # No bare neck: a scarf, a beard, a collar up to the chin.
    return int(regions.landmarks[132, 0]), int(regions.landmarks[361, 0])
