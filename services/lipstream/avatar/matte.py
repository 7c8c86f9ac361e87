"""Cutting the head out of the photo.

The person comes from a segmentation network; what of the person is head and what is torso is
decided here: above the ears all of it, beside the jaw by edges, under the jaw nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import cv2.ximgproc
import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.geodesic import nearer_to
from lipstream.avatar.regions import Mask, Regions

__all__ = ["HeadMatte", "cut_out_head", "refine_edge", "soften"]

_SOFTNESS = 60.0
"""Regularisation of the guided filter, in squared grey levels."""
_CONTRAST = 0.25
"""Distance of head and background colours at which the photo is trusted by half."""
_BAND_PX = 4.0
_NOSE_TIP = 4


@dataclass(frozen=True, slots=True)
class HeadMatte:
    """The head in the canvas: face, hair, ears, hat; not the neck."""

    head: Mask
    neck: Mask  # of the person, under the jaw
    alpha: NDArray[np.float64]  # [512, 512] 0..1, soft at the head's edge
    relief: NDArray[np.float64]  # [512, 512] the same without what lies along the jaw


def cut_out_head(pixels: NDArray[np.uint8], regions: Regions) -> HeadMatte:
    """Find the head's pixels.

    Args:
        pixels: `# [512, 512, 3]`.
    """
    head = _head_mask(pixels, regions)
    # Along the jaw the skin's own edge is drawn, not the relief of hair and ears.
    beside_jaw = ndi.binary_dilation(regions.face, iterations=2) & (regions.rows > regions.lobe_y)
    hair = ndi.binary_opening(head & ~beside_jaw, iterations=1)
    relief = np.clip((soften(pixels, hair, 5) - 0.08) / 0.84, 0, 1)
    relief[beside_jaw & ~ndi.binary_dilation(hair, iterations=1)] = 0
    return HeadMatte(
        head=head,
        neck=regions.beneath & (regions.person > 0.5) & ~head,
        alpha=np.clip((soften(pixels, head, 6) - 0.05) / 0.9, 0, 1),
        relief=relief,
    )


def refine_edge(
    matte: HeadMatte,
    photo: NDArray[np.float64],
    head_colors: NDArray[np.float64],
    background: NDArray[np.float64],
) -> HeadMatte:
    """Sharpen the matte's edge where the head's colour differs from what is behind it.

    There the photo itself says how much of a pixel is head: the share of the way from one colour
    to the other. Where both look alike, the guided filter's guess stays.

    Args:
        photo: `# [512, 512, 3]`, as are the head's colours spread past its edge and the
            background continued behind it.
    """
    contrast = head_colors - background
    strength = (contrast**2).sum(-1)
    share = np.clip(((photo - background) * contrast).sum(-1) / np.maximum(strength, 1e-6), 0, 1)
    share = cv2.GaussianBlur(share, (0, 0), 0.6)
    trust = strength / (strength + _CONTRAST**2)
    outside = ndi.distance_transform_edt(~matte.head)
    inside = ndi.distance_transform_edt(matte.head)
    band = np.clip(1.5 - np.maximum(outside, inside) / _BAND_PX, 0, 1)
    weight = trust * band

    def sharpened(alpha: NDArray[np.float64]) -> NDArray[np.float64]:
        known = np.where((alpha > 0.01) | (inside > 0), share, 0.0)
        return np.asarray(alpha + (known - alpha) * weight)

    beside_jaw = matte.alpha - matte.relief > 0.5
    relief = np.where(beside_jaw, matte.relief, sharpened(matte.relief))
    return replace(matte, alpha=sharpened(matte.alpha), relief=relief)


def _head_mask(pixels: NDArray[np.uint8], regions: Regions) -> Mask:
    person = regions.person > 0.5
    above = person & ~regions.beneath & (regions.rows < regions.lobe_y)
    head = above | regions.face | _hair_beside_jaw(pixels, regions, above)
    head = ndi.binary_opening(head, iterations=2) | regions.face
    pieces, _ = ndi.label(head)
    nose = np.clip(regions.landmarks[_NOSE_TIP, :2].astype(int), 0, CANVAS_PX - 1)
    head = pieces == pieces[nose[1], nose[0]]
    return np.asarray(ndi.binary_fill_holes(head))


def _hair_beside_jaw(pixels: NDArray[np.uint8], regions: Regions, above: Mask) -> Mask:
    """Between ears and chin, what belongs to the hair above rather than to neck and torso below.

    Args:
        above: the head's pixels above the ear lobes.
    """
    rows, person = regions.rows, regions.person > 0.5
    chin, height = regions.chin_y, regions.face_height
    end = chin + 0.05 * height
    neck = regions.beneath & (rows >= chin - 0.10 * height)
    torso = person & ((rows >= end) | neck)
    unsure = person & (rows >= regions.lobe_y) & ~torso & ~regions.face
    return nearer_to(pixels, unsure, above, torso)


def soften(pixels: NDArray[np.uint8], mask: Mask, radius_px: int) -> NDArray[np.float64]:
    """A soft mask whose edge follows the picture's (He et al. 2013)."""
    soft = cv2.ximgproc.guidedFilter(pixels, mask.astype(np.float32), radius_px, _SOFTNESS)
    return np.asarray(soft, np.float64)
