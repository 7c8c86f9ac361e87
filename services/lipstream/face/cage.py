"""Smooth displacement fields on the landmark cage from a few handles.

A shape names where some landmarks go and which ones stay; the rest follows as a thin plate
would (biharmonic, Botsch and Kobbelt 2004), so that skin moves without seams.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla
from numpy.typing import NDArray

from lipstream.face.landmarks import MESH_COUNT
from lipstream.face.topology import face_topology

__all__ = ["Cage", "Points"]

Points = NDArray[np.float64]  # [..., 3] mm, head frame

_STRETCH = 1e-4
"""A little membrane energy keeps free patches from overshooting."""


class Cage:
    """The graph of the 468 landmarks with its Laplacian."""

    @cached_property
    def _laplacian(self) -> sp.csr_matrix:
        triangles = face_topology().cage_triangles
        a = triangles[:, [0, 1, 2]].reshape(-1)
        b = triangles[:, [1, 2, 0]].reshape(-1)
        ones = np.ones(2 * len(a))
        graph = sp.csr_matrix(
            (ones, (np.concatenate([a, b]), np.concatenate([b, a]))),
            shape=(MESH_COUNT, MESH_COUNT),
        )
        graph.data[:] = 1.0
        degree = np.asarray(graph.sum(1)).reshape(-1)
        return sp.csr_matrix(sp.identity(MESH_COUNT) - sp.diags(1 / degree) @ graph)

    @cached_property
    def _energy(self) -> sp.csr_matrix:
        laplacian = self._laplacian
        return sp.csr_matrix(laplacian.T @ laplacian + _STRETCH * laplacian)

    def spread(
        self, handles: Mapping[int, Sequence[float] | NDArray[np.float64]], held: Iterable[int]
    ) -> NDArray[np.float64]:  # [468, D]
        """Extend the values at handles smoothly over the cage.

        Args:
            handles: value by landmark.
            held: landmarks whose value is zero, unless they are handles.
        """
        width = len(next(iter(handles.values())))
        known = {index: np.zeros(width) for index in held}
        known.update({index: np.asarray(value, float) for index, value in handles.items()})
        fixed = np.array(sorted(known))
        field = np.zeros((MESH_COUNT, width))
        field[fixed] = [known[index] for index in fixed]
        free = np.setdiff1d(np.arange(MESH_COUNT), fixed)
        rows = self._energy[free]
        solver = sla.splu(rows[:, free].tocsc())
        field[free] = solver.solve(-(rows[:, fixed] @ field[fixed]))
        return field
