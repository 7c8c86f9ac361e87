"""Filling holes in a picture smoothly from what is around them."""

from __future__ import annotations

import cv2
import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

__all__ = ["continued", "fill_smoothly", "mix", "sample"]

Image = NDArray[np.float64]  # [H, W, 3] 0..1

_GRAIN_PX = 2.5
"""Grain is finer than this, shading coarser."""
_MOST_GRAIN = 0.06
"""What stands out more is an edge, and would be seen twice."""


def fill_smoothly(image: Image, known: NDArray[np.bool_]) -> Image:
    """Replace unknown pixels by pull and push over a pyramid (Gortler et al. 1996)."""
    return _pull_push(image, known.astype(np.float64))


def _pull_push(image: Image, known: NDArray[np.float64]) -> Image:
    height, width = known.shape
    weight = known[..., None]
    if min(height, width) <= 2:
        mean = (image * weight).sum((0, 1)) / max(1e-6, float(weight.sum()))
        return np.where(weight > 0, image, mean)
    half = ((width + 1) // 2, (height + 1) // 2)
    total = cv2.resize(image * weight, half, interpolation=cv2.INTER_AREA)
    share = cv2.resize(known, half, interpolation=cv2.INTER_AREA)
    coarse = _pull_push(
        total / np.maximum(share, 1e-6)[..., None], (share > 1e-3).astype(np.float64)
    )
    filled = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(image * weight + filled * (1 - weight))


def continued(image: Image, known: NDArray[np.bool_]) -> Image:
    """The known pixels, gone on in the colours of their edge with the grain that a mirror shows.

    A mirror alone would bring back what lies before the edge: a second hairline, then cheek.
    """
    shading = _blurred(fill_smoothly(image, known))
    rows, columns = ndi.distance_transform_edt(~known, return_distances=False, return_indices=True)
    height, width = known.shape
    across = np.indices(known.shape)
    y = np.clip(2 * rows - across[0], 0, height - 1)
    x = np.clip(2 * columns - across[1], 0, width - 1)
    grain = np.where(known[y, x][..., None], (image - shading)[y, x], 0.0)
    grain = np.clip(grain, -_MOST_GRAIN, _MOST_GRAIN)
    return np.where(known[..., None], image, _blurred(shading[rows, columns]) + grain)


def _blurred(image: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), _GRAIN_PX))


def sample(image: NDArray[np.generic], points_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bilinear samples of an image `# [H, W]` or `# [H, W, C]` at pixels `# [N, 2]`."""
    x = np.ascontiguousarray(points_px[:, 0] - 0.5, np.float32)[:, None]
    y = np.ascontiguousarray(points_px[:, 1] - 0.5, np.float32)[:, None]
    source = np.ascontiguousarray(image, np.float32)
    # OpenCV maps at most 32767 rows at a time.
    blocks = [
        cv2.remap(
            source,
            x[k : k + 32000],
            y[k : k + 32000],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )[:, 0]
        for k in range(0, len(x), 32000)
    ]
    channels = image.shape[2:]
    return np.concatenate(blocks).astype(np.float64) if blocks else np.zeros((0, *channels))


def mix(
    first: NDArray[np.float64], second: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Colours `# [..., 3]` of which a share `# [...]` is the second's."""
    weight = share[..., None]
    return np.asarray(first * (1 - weight) + second * weight)
