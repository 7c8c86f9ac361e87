"""The face mesh's triangles, and a finer mesh that passes through its points.

The table of 852 triangles is MediaPipe's FACEMESH_TESSELATION (Apache-2.0), wound so that
normals point to the camera; it has holes at the mouth and the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from lipstream.face.landmarks import MESH_COUNT
from lipstream.face.subdivision import subdivide

__all__ = ["FaceTopology", "boundary_loop", "face_topology"]

_LEVELS = 2
_CREASES = (78, 308, 33, 133, 263, 362)
"""Corners of mouth and eyes, which subdivision would round off."""


@dataclass(frozen=True, slots=True)
class FaceTopology:
    """The cage of 468 landmarks and the fine mesh made from it."""

    cage_triangles: NDArray[np.int64]  # [852, 3]
    triangles: NDArray[np.int64]  # [F, 3] of the fine mesh
    weights: NDArray[np.float64]  # [V, 468] cage to fine mesh; the first 468 rows are the identity


@cache
def face_topology() -> FaceTopology:
    """The topology, which is the same for every face."""
    table = resources.files("lipstream.face") / "face_triangles.npz"
    with resources.as_file(table) as path, np.load(path) as archive:
        cage = archive["triangles"].astype(np.int64)
    matrix, fine = subdivide(cage, MESH_COUNT, _LEVELS, _CREASES)
    # Control points are chosen so that the limit passes through the landmarks themselves.
    weights = matrix @ np.linalg.inv(matrix[:MESH_COUNT])
    weights[:MESH_COUNT] = np.eye(MESH_COUNT)
    return FaceTopology(cage, fine, weights)


def boundary_loop(triangles: NDArray[np.int64], through: int) -> NDArray[np.int64]:  # [L]
    """The closed boundary that passes through a vertex, in the triangles' own direction."""
    edges = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=-1).reshape(-1, 2)
    count = int(triangles.max()) + 1
    forth, back = edges @ (count, 1), edges @ (1, count)
    following = dict(edges[~np.isin(forth, back)].tolist())
    loop = [through]
    while (vertex := following[loop[-1]]) != through:
        loop.append(vertex)
    return np.array(loop, np.int64)
