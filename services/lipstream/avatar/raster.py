"""Which triangle is seen where: a z-buffer over a grid of cells."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["visible_triangles"]


@numba.njit(cache=True)
def visible_triangles(
    points_px: NDArray[np.float64],  # [V, 2]
    depth: NDArray[np.float64],  # [V]
    triangles: NDArray[np.int64],  # [F, 3]
    size_px: int,
    cell_px: float,
    margin_px: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:  # [C, C], [C, C, 3]
    """Nearest triangle at each cell's centre (-1 for none) and barycentric coordinates there.

    The grid starts `margin_px` outside the picture. Only triangles that wind as if they faced
    the camera are seen.
    """
    cells = int((size_px + 2 * margin_px) / cell_px)
    owner = np.full((cells, cells), -1, np.int64)
    nearest = np.full((cells, cells), np.inf)
    barycentric = np.zeros((cells, cells, 3))
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t]
        x0, y0 = points_px[a, 0] + margin_px, points_px[a, 1] + margin_px
        x1, y1 = points_px[b, 0] + margin_px, points_px[b, 1] + margin_px
        x2, y2 = points_px[c, 0] + margin_px, points_px[c, 1] + margin_px
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area > -1e-9:
            continue
        left = max(0, int(min(x0, x1, x2) / cell_px - 1))
        right = min(cells - 1, int(max(x0, x1, x2) / cell_px + 1))
        top = max(0, int(min(y0, y1, y2) / cell_px - 1))
        bottom = min(cells - 1, int(max(y0, y1, y2) / cell_px + 1))
        for row in range(top, bottom + 1):
            y = (row + 0.5) * cell_px
            for column in range(left, right + 1):
                x = (column + 0.5) * cell_px
                w1 = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) / area
                w2 = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) / area
                w0 = 1 - w1 - w2
                if w0 < -1e-6 or w1 < -1e-6 or w2 < -1e-6:
                    continue
                z = w0 * depth[a] + w1 * depth[b] + w2 * depth[c]
                if z < nearest[row, column]:
                    nearest[row, column] = z
                    owner[row, column] = t
                    barycentric[row, column, 0] = w0
                    barycentric[row, column, 1] = w1
                    barycentric[row, column, 2] = w2
    return owner, barycentric
