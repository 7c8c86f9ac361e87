"""Cutting the head out: a mask by graph cut, a soft edge by a guided filter."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.regions import Mask, Regions

__all__ = ["HeadMatte", "cut_out_head"]

_CUT_ITERATIONS = 4
_SOFTNESS = 60.0
"""Regularisation of the guided filter, in squared grey levels."""
_NOSE_TIP = 4


@dataclass(frozen=True, slots=True)
class HeadMatte:
    """The head in the canvas: face, hair, ears, hat; not the neck."""

    head: Mask
    alpha: NDArray[np.float64]  # [512, 512] 0..1, soft at the head's edge
    relief: NDArray[np.float64]  # [512, 512] the same without what lies along the jaw


def cut_out_head(pixels: NDArray[np.uint8], regions: Regions) -> HeadMatte:
    """Find the head's pixels.

    Args:
        pixels: `# [512, 512, 3]`.
    """
    head = _head_mask(pixels, regions)
    rows, face = regions.rows, regions.face
    # Along the jaw the skin's own edge is drawn, not the relief of hair and ears.
    lobe = regions.lobe_y
    hair = head & ~(ndi.binary_dilation(face, iterations=2) & (rows > lobe))
    hair = ndi.binary_opening(hair, iterations=1)
    relief = np.clip((_soften(pixels, hair, 5) - 0.08) / 0.84, 0, 1)
    beside_jaw = ndi.binary_dilation(face, iterations=7) & (
        rows > lobe + 0.02 * regions.face_height
    )
    relief[beside_jaw & ~ndi.binary_dilation(hair, iterations=1)] = 0
    return HeadMatte(
        head=head,
        alpha=np.clip((_soften(pixels, head, 6) - 0.05) / 0.9, 0, 1),
        relief=relief,
    )


def _head_mask(pixels: NDArray[np.uint8], regions: Regions) -> Mask:
    rows, person, face = regions.rows, regions.person, regions.face
    height, chin, mouth = regions.face_height, regions.chin_y, regions.mouth_y
    beneath = regions.beneath
    labels = np.full((CANVAS_PX, CANVAS_PX), cv2.GC_PR_BGD, np.uint8)
    labels[(person > 0.6) & (rows < chin)] = cv2.GC_PR_FGD
    labels[(person > 0.9) & (rows < mouth - 0.12 * height)] = cv2.GC_FGD
    labels[face] = cv2.GC_FGD
    labels[(person < 0.08) | (rows > chin + 0.10 * height)] = cv2.GC_BGD
    labels[beneath] = cv2.GC_PR_BGD
    labels[beneath & (rows > chin)] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    cv2.grabCut(
        np.ascontiguousarray(pixels[..., ::-1]),
        labels,
        (0, 0, 0, 0),
        np.zeros((1, 65)),
        np.zeros((1, 65)),
        _CUT_ITERATIONS,
        cv2.GC_INIT_WITH_MASK,
    )
    head = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)) & ~beneath
    head = (head & (rows < chin + 0.05 * height)) | face
    pieces, _ = ndi.label(head)
    nose = np.clip(regions.landmarks[_NOSE_TIP, :2].astype(int), 0, CANVAS_PX - 1)
    head = pieces == pieces[nose[1], nose[0]]
    return np.asarray(ndi.binary_fill_holes(ndi.binary_opening(head, iterations=2)) | face)


def _soften(pixels: NDArray[np.uint8], mask: Mask, radius_px: int) -> NDArray[np.float64]:
    """A soft mask whose edge follows the picture's (He et al. 2013)."""
    import cv2.ximgproc

    soft = cv2.ximgproc.guidedFilter(pixels, mask.astype(np.float32), radius_px, _SOFTNESS)
    return np.asarray(soft, np.float64)
