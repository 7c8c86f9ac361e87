"""The plate: the photo with the head taken out, seen when the head moves.

Behind the head goes a continuation of the background; behind the jaw, of the neck.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.filling import fill_smoothly, mix
from lipstream.avatar.matte import HeadMatte, soften
from lipstream.avatar.regions import Mask, Regions
from lipstream.face.parts import smoothstep

__all__ = ["Plate", "paint_plate"]

_NOSE_TIP = 4
_SKIN_CHROMA = 0.075
_JAW_MARGIN_PX = 5
"""The rim carries this much of the photo beyond the face: the plate must not show it again."""
_EDGE_MARGIN_PX = 3
"""The matte's edge is known no better than this."""
_TORSO_EDGE_PX = 6
_WHOLE_NECK = 25.0
_SOFT_PX = 4.0
_CONTOUR_PX = (8.0, 18.0)
"""Under the jaw: the jaw's own shadow is replaced up to the first, the photo is back at the second.
"""
_OUTLINE_ERROR_PX = 14
_SLIVER_PX = 6
_ALIKE = (0.10, 0.25)
"""Distance of colours up to which they are of one thing, and from which on of two."""
_BAND_PX = 12
"""Lines of the background go on this far behind the head, as far as a head's sway uncovers."""


@dataclass(frozen=True, slots=True)
class Plate:
    """Background and torso."""

    image: NDArray[np.float64]  # [512, 512, 3] 0..1
    torso: NDArray[np.float64]  # [512, 512] 0..1, what of it is the person
    neck_span: tuple[int, int]  # columns of the neck under the jaw


def paint_plate(photo: NDArray[np.float64], regions: Regions, matte: HeadMatte) -> Plate:
    """Take the head out of the photo.

    Args:
        photo: `# [512, 512, 3]` 0..1.
    """
    face, person = regions.face, regions.person
    grown = ndi.binary_dilation
    beneath = regions.beneath & ~grown(matte.head & ~face, iterations=_EDGE_MARGIN_PX)
    visible = (matte.alpha > 0.02) | (matte.relief > 0.02) | matte.head
    wisps = grown(matte.head, iterations=20) & (person > 0.1) & (person < 0.9)
    wisps &= regions.rows < regions.mouth_y
    # Long hair goes on over the shoulders: there head and torso touch, and nothing may be lost.
    torso = (person > 0.5) & ~matte.head & ~wisps
    skin = _neck_skin(photo, regions)
    span = _neck_span(skin, regions)
    behind_jaw = _neck_share(regions, span)
    slivers = _slivers(torso, behind_jaw > 0.5, regions)
    torso &= ~slivers
    hole = (
        slivers
        | face
        | (grown(visible, iterations=_EDGE_MARGIN_PX) & ~beneath & ~torso)
        | (grown(wisps, iterations=2) & ~beneath)
        | (grown(face, iterations=_JAW_MARGIN_PX) & (matte.neck | (person < 0.5)))
    )
    beside_neck = torso & ~beneath & ~hole
    unknown = (hole | grown(person > 0.25, iterations=3)) & ~beside_neck
    image = _continue_background(photo, hole, unknown)
    neck = cv2.GaussianBlur(fill_smoothly(photo, skin), (0, 0), 2.0)
    share = behind_jaw * (1 - _bare(photo, image, regions))
    return Plate(
        image=mix(image, neck * _shading(regions, span)[..., None], share),
        torso=_torso(photo, person, hole, share),
        neck_span=span,
    )


def _slivers(torso: Mask, neck: Mask, regions: Regions) -> Mask:
    """What stands up thin from shoulders and neck beside the face: the edge of its own jaw."""
    body = torso | neck
    thin = body & ~ndi.binary_opening(body, iterations=_SLIVER_PX)
    beside = ndi.binary_dilation(regions.face, iterations=_OUTLINE_ERROR_PX)
    return np.asarray(thin & torso & beside & (regions.rows < regions.chin_y))


def _torso(
    photo: NDArray[np.float64],
    person: NDArray[np.float64],
    hole: Mask,
    neck: NDArray[np.float64],  # [512, 512] 0..1
) -> NDArray[np.float64]:
    """The person without the head, soft at its edge: what stays when the background goes."""
    pixels = np.rint(photo * 255).astype(np.uint8)
    soft = np.clip((soften(pixels, person > 0.5, _TORSO_EDGE_PX) - 0.05) / 0.9, 0, 1)
    # The neck's soft edges are of its colour; behind them is the head, so there is no gap.
    torso = np.where(hole, np.clip(_WHOLE_NECK * neck, 0, 1), soft)
    return np.asarray(cv2.GaussianBlur(torso, (0, 0), 0.7))


def _continue_background(
    photo: NDArray[np.float64], hole: Mask, unknown: Mask
) -> NDArray[np.float64]:
    """Fill the hole: near its edge with lines continued (Telea 2004), smoothly further in."""
    smooth = cv2.GaussianBlur(fill_smoothly(photo, ~unknown), (0, 0), 2.0)
    image = np.where(hole[..., None], smooth, photo)
    to_background = ndi.distance_transform_edt(unknown)
    band = hole & (to_background < _BAND_PX)
    pixels = np.rint(image.clip(0, 1) * 255).astype(np.uint8)
    drawn = cv2.inpaint(pixels, band.astype(np.uint8), 4, cv2.INPAINT_TELEA).astype(float) / 255
    share = np.where(band, np.clip((_BAND_PX - to_background) / (_BAND_PX / 2), 0, 1), 0.0)
    return np.asarray(image + (drawn - image) * share[..., None])


def _neck_share(regions: Regions, span: tuple[int, int]) -> NDArray[np.float64]:
    """How much of each pixel behind the jaw is neck; softly from the neck that is seen below."""
    left, right = span
    across = smoothstep(left - _SOFT_PX, left + _SOFT_PX, regions.columns)
    across *= 1 - smoothstep(right - _SOFT_PX, right + _SOFT_PX, regions.columns)
    nose = float(regions.landmarks[_NOSE_TIP, 1])
    down = smoothstep(nose - _SOFT_PX, nose + _SOFT_PX, regions.rows)
    return across * down * (1 - smoothstep(*_CONTOUR_PX, regions.below_jaw))


def _shading(regions: Regions, span: tuple[int, int]) -> NDArray[np.float64]:
    """A neck is round and lies in the head's shadow."""
    centre, half = (span[0] + span[1]) / 2, (span[1] - span[0]) / 2
    around = np.clip(np.abs(regions.columns - centre) / half, 0, 1) ** 4
    depth = np.clip(-regions.below_jaw / (0.35 * regions.face_height), 0, 1)
    return np.asarray((1 - 0.05 * depth) * (1 - 0.15 * around * np.minimum(1, 4 * depth)))


def _bare(
    photo: NDArray[np.float64], image: NDArray[np.float64], regions: Regions
) -> NDArray[np.float64]:
    """Where the photo shows the background inside the face's outline, which runs beside the true
    one by some pixels: 1 there."""
    background = regions.person < 0.5
    near = ndi.binary_dilation(background, iterations=_OUTLINE_ERROR_PX) & regions.face
    difference = cv2.GaussianBlur(photo - image, (0, 0), 1.0)
    alike = 1 - smoothstep(*_ALIKE, np.linalg.norm(difference, axis=-1))
    return np.asarray(cv2.GaussianBlur(np.where(near, alike, 0.0), (0, 0), 1.0))


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
    return np.asarray(known & similar & (brightness > -0.15) & (brightness < 0.28))


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
