"""Dividing a region between two neighbours by the picture's edges."""

from __future__ import annotations

import cv2
import numpy as np
import scipy.ndimage as ndi
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

__all__ = ["nearer_to"]

_STEP_COST = 0.3
"""Cost of a step over flat ground, in CIELAB units."""

Mask = NDArray[np.bool_]


def nearer_to(pixels: NDArray[np.uint8], zone: Mask, first: Mask, second: Mask) -> Mask:
    """The part of a zone that lies nearer to `first` than to `second`.

    Distance is counted along paths inside the zone; crossing an edge of the picture costs what
    the colours differ by.

    Args:
        pixels: `# [H, W, 3]`.
    """
    ring = ndi.binary_dilation(zone)
    starts = (ring & first & ~zone, ring & second & ~zone)
    used = zone | starts[0] | starts[1]
    index = np.full(zone.shape, -1)
    index[used] = np.arange(used.sum())
    smooth = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB).astype(np.float64)

    tails, heads, costs = [], [], []
    for here, there in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1, :], np.s_[1:, :]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
        (np.s_[1:, :-1], np.s_[:-1, 1:]),
    ):
        joined = used[here] & used[there]
        tails.append(index[here][joined])
        heads.append(index[there][joined])
        costs.append(np.linalg.norm(lab[here] - lab[there], axis=-1)[joined] + _STEP_COST)
    count = int(used.sum())
    graph = sp.csr_matrix(
        (np.concatenate(costs), (np.concatenate(tails), np.concatenate(heads))), (count, count)
    )
    first_distance, second_distance = (_distance(graph, index[start]) for start in starts)
    nearer = np.zeros(zone.shape, bool)
    nearer[used] = first_distance < second_distance
    return np.asarray(nearer & zone)


def _distance(graph: sp.csr_matrix, sources: NDArray[np.int64]) -> NDArray[np.float64]:
    if len(sources) == 0:
        return np.full(graph.shape[0], np.inf)
    return np.asarray(dijkstra(graph, directed=False, indices=sources, min_only=True))
