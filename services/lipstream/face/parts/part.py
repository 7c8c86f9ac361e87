"""One piece of the head's surface, before the pieces are joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lipstream.face.cage import Points

__all__ = ["Part", "facing", "grid_triangles", "smoothstep"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """Vertices in the head frame at rest, and how each expression moves them."""

    name: str
    vertices: Points  # [V, 3] mm
    triangles: NDArray[np.int64]  # [F, 3] into `vertices`, wound to face the camera
    shapes: Mapping[str, Array]  # [V, 3] mm at weight 1, by shape name
    head_weights: Array  # [V] 1 moves with the head, 0 stays
    coordinates: Mapping[str, Array] = field(default_factory=dict)  # [V] each, for painting


def grid_triangles(rows: int, columns: int, *, closed: bool = False) -> NDArray[np.int64]:
    """Two triangles for each cell of a grid of vertices stored row by row.

    Args:
        closed: the last column joins the first.
    """
    row, column = np.mgrid[: rows - 1, : columns if closed else columns - 1]
    a = (row * columns + column).reshape(-1)
    b = (row * columns + (column + 1) % columns).reshape(-1)
    first = np.stack([a, b, a + columns], 1)
    second = np.stack([b, b + columns, a + columns], 1)
    triangles: NDArray[np.int64] = np.stack([first, second], 1).reshape(-1, 3)
    return triangles


def facing(
    vertices: Points,
    triangles: NDArray[np.int64],
    towards: Points | tuple[float, float, float] = (0.0, 0.0, -1.0),
    judged_by: slice = slice(None),
) -> NDArray[np.int64]:
    """The triangles, all flipped if they face away from a direction on the whole.

    Args:
        towards: one direction, or one for each triangle.
        judged_by: triangles that decide.
    """
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    along = (np.cross(b - a, c - a) * np.asarray(towards)).sum(1)
    return triangles if along[judged_by].sum() > 0 else triangles[:, ::-1]


def smoothstep(start: float, end: float, value: Array | float) -> Array:
    """0 before `start`, 1 after `end`, smooth between."""
    t = np.clip((np.asarray(value, float) - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
