"""Colours for the sides of the face, which a photo from the front hardly shows.

Cheek and jaw beside the outline are a few pixels wide in the photo, mixed with hair, ears and
background, and become centimetres when the head turns. There the colours come from a little
further inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.filling import continued, mix
from lipstream.avatar.matte import HeadMatte
from lipstream.avatar.raster import visible_triangles
from lipstream.avatar.regions import Regions
from lipstream.avatar.stage import PosedSurface
from lipstream.face.parts import smoothstep

__all__ = ["FaceColors", "face_colors"]

_STEEP_COSINE, _FLAT_COSINE = 0.15, 0.45
"""Of skin and view: between these the photo's word gives way to what lies further inside."""
_SIDEWAYS = (0.4, 0.8)
"""Share of a slope that goes sideways, from which on it counts as a side."""
_FRINGE_PX = (1.5, 5.0)
"""Cameras and codecs smear colours this far into the head from its edge."""
_FRINGE_SIZE = (7, 7)
_SIDE_PX = (10.0, 18.0)
"""The sides reach this far in from the outline."""
_MIXED_PX = (2.0, 4.0)
"""So far in from the outline hair and ears are mixed into the skin before them."""
_FOREIGN = (0.12, 0.30)
"""Distance of colours from which on they are of two things."""
_SHARE = (0.25, 0.60)
"""Of the way from background to skin, from which on a pixel is skin."""
_JAW_SEAM_PX = 4
"""Head and neck, cut apart along the jaw, are this far from each other at most."""
_LOBE_PX = 12.0


@dataclass(frozen=True, slots=True)
class FaceColors:
    """The face up to its outline in its own colours."""

    image: NDArray[np.float64]  # [512, 512, 3] 0..1
    trust: NDArray[np.float64]  # [512, 512] 1 where that is the photo itself, 0 where filled in
    cover: NDArray[np.float64]  # [512, 512] opacity: landmarks lie off the true outline by pixels


def face_colors(
    photo: NDArray[np.float64],
    background: NDArray[np.float64],
    regions: Regions,
    matte: HeadMatte,
    stage: PosedSurface,
) -> FaceColors:
    """Paint the face's outer edge in the face's own colours.

    Above the ear lobes what borders on the face is the head's own, hair and ears: there only the
    background is kept out, and before the ears what is mixed with them in the last pixels. Below
    the lobes the outline is the jaw's, and on its steep sides whatever is unlike the skin further
    inside is replaced.

    Args:
        photo: `# [512, 512, 3]`.
        background: `# [512, 512, 3]` continued behind the head.
    """
    person = ndi.binary_closing((matte.alpha > 0.9) | matte.neck, iterations=_JAW_SEAM_PX)
    clean = smoothstep(*_FRINGE_PX, ndi.distance_transform_edt(person))
    low = smoothstep(regions.lobe_y - _LOBE_PX, regions.lobe_y + _LOBE_PX, regions.rows)
    inwards = ndi.distance_transform_edt(regions.face)
    averted = _averted(stage)
    side = low * averted * (1 - smoothstep(*_SIDE_PX, inwards))
    before_ears = smoothstep(regions.ear_y, (regions.ear_y + regions.lobe_y) / 2, regions.rows)
    mixed = np.maximum(side, before_ears * averted * (1 - smoothstep(*_MIXED_PX, inwards)))
    inner = continued(photo, regions.face & (clean * (1 - mixed) > 0.95))
    foreign = ndi.grey_dilation(smoothstep(*_FOREIGN, _contrast(photo, inner)), _FRINGE_SIZE)
    foreign = ndi.gaussian_filter(foreign, 1.0)
    beyond = np.where(matte.head, (1 - before_ears) * clean, 0.0)
    trust = np.where(regions.face, clean * (1 - mixed * foreign), beyond)

    # Landmarks lie off the true outline by some pixels: where the background is seen, it stays.
    contrast = _contrast(inner, background)
    share = _contrast(photo, background) / np.maximum(contrast, 1e-6)
    empty = side * smoothstep(*_FOREIGN, contrast) * (1 - smoothstep(*_SHARE, share))
    cover = np.maximum(matte.alpha, _over_neck(regions, matte)) * (1 - empty)
    return FaceColors(mix(inner, photo, trust), trust, np.where(regions.face, cover, 1.0))


def _contrast(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:  # [512, 512]
    """How far two pictures differ, past their grain."""
    return np.asarray(np.linalg.norm(cv2.GaussianBlur(first - second, (0, 0), 1.0), axis=-1))


def _over_neck(regions: Regions, matte: HeadMatte) -> NDArray[np.float64]:  # [512, 512] 0..1
    """Where the face's outline borders on the neck, so that no background can be seen."""
    rows, columns = ndi.distance_transform_edt(
        regions.face, return_distances=False, return_indices=True
    )
    return np.asarray(ndi.gaussian_filter(matte.neck[rows, columns].astype(float), 3.0))


def _averted(stage: PosedSurface) -> NDArray[np.float64]:  # [512, 512] 0..1
    """How far each pixel's skin is turned to the side; the chin's underside is not."""
    span = stage.spans["skin"].triangles
    triangles = stage.triangles[span]
    owner, _ = visible_triangles(stage.photo_px, stage.photo[:, 2], triangles, CANVAS_PX, 1.0, 0.0)
    a, b, c = (stage.photo[triangles[:, k]] for k in range(3))
    across, down, _ = np.abs(np.cross(b - a, c - a)).T
    sideways = smoothstep(*_SIDEWAYS, across / np.maximum(np.hypot(across, down), 1e-9))
    averted = sideways * (1 - smoothstep(_STEEP_COSINE, _FLAT_COSINE, stage.facing("skin")))
    # The last one stands for no triangle.
    return np.asarray(ndi.gaussian_filter(np.append(averted, 0.0)[owner], 1.5))
