"""Loop subdivision as a matrix, with creases (C. Loop 1987; boundary rules of Hoppe 1994)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

__all__ = ["subdivide"]


def subdivide(
    triangles: NDArray[np.int64],  # [F, 3]
    vertex_count: int,
    levels: int,
    corners: Sequence[int],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:  # [V', V], [4^levels F, 3]
    """Refine a mesh; returns the matrix from old to new vertices and the new triangles.

    New vertices follow the old ones. Boundaries stay smooth curves of their own, and `corners`
    keep their place.
    """
    matrix = sp.identity(vertex_count, format="csr")
    for _ in range(levels):
        step, triangles = _loop_step(triangles, matrix.shape[0], corners)
        matrix = (step @ matrix).tocsr()
    return np.asarray(matrix.todense(), np.float64), triangles


def _loop_step(
    triangles: NDArray[np.int64], count: int, corners: Sequence[int]
) -> tuple[sp.csr_matrix, NDArray[np.int64]]:
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    opposite = np.concatenate([triangles[:, 2], triangles[:, 0], triangles[:, 1]])
    edges, owner = np.unique(np.sort(sides, axis=1), axis=0, return_inverse=True)
    owner = owner.reshape(-1)
    is_boundary = np.bincount(owner, minlength=len(edges)) == 1

    even = _even_rules(edges, is_boundary, count, corners)
    interior_share = np.where(is_boundary, 0.5, 0.375)
    rows = np.arange(len(edges))
    inner = ~is_boundary[owner]
    odd = sp.coo_matrix(
        (
            np.concatenate([interior_share, interior_share, np.full(inner.sum(), 0.125)]),
            (
                np.concatenate([rows, rows, owner[inner]]),
                np.concatenate([edges[:, 0], edges[:, 1], opposite[inner]]),
            ),
        ),
        shape=(len(edges), count),
    )
    middle = (owner + count).reshape(3, -1)
    ab, bc, ca = middle
    a, b, c = triangles.T
    finer = np.concatenate(
        [np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    )
    return sp.csr_matrix(sp.vstack([even, odd])), finer


def _even_rules(
    edges: NDArray[np.int64], is_boundary: NDArray[np.bool_], count: int, corners: Sequence[int]
) -> sp.csr_matrix:
    """New places of the old vertices."""
    kind = np.zeros(count, np.int64)  # 0 interior, 1 boundary, 2 fixed
    kind[np.unique(edges[is_boundary])] = 1
    kind[list(corners)] = 2
    valence = np.bincount(edges.reshape(-1), minlength=count)
    kind[valence == 0] = 2
    ring = np.maximum(valence, 1)
    beta = (5 / 8 - (3 / 8 + np.cos(2 * np.pi / ring) / 4) ** 2) / ring

    both = np.concatenate([edges, edges[:, ::-1]])
    along_boundary = np.concatenate([is_boundary, is_boundary])
    to, neighbour = both.T
    share = np.where(
        kind[to] == 0, beta[to], np.where((kind[to] == 1) & along_boundary, 0.125, 0.0)
    )
    own = np.select([kind == 0, kind == 1], [1 - valence * beta, 0.75], 1.0)
    spread = sp.csr_matrix((share, (to, neighbour)), shape=(count, count))
    return sp.csr_matrix(spread + sp.diags(own))
