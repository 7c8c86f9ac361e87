"""What continues the face beyond its outline: a rim around it, a sheet under the jaw.

The mesh ends at the face's oval. The rim carries the pixels just outside it, so that the edge
between face and neck moves with the jaw; the sheet is seen when the head turns.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lipstream.face.landmarks import CHIN, FOREHEAD, Ring
from lipstream.face.lip_field import LIP_POINTS
from lipstream.face.parts.part import Array, Part, facing, grid_triangles, smoothstep
from lipstream.face.topology import boundary_loop

__all__ = ["jaw_sheet", "outline_loop", "rim"]

_RIM_MM = ((1.6, 1.2), (3.2, 3.5), (7.0, 7.5), (11.0, 12.0))
"""(outwards, backwards) of each ring of the rim."""
_SHEET_ROWS = 9
_SHEET_MIN_DEPTH_MM = 30.0
_NOSE_TIP = 4
_EAR_RIGHT, _EAR_LEFT = 234, 454


def outline_loop(skin: Part) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Vertices of the skin's outer boundary, in order."""
    return boundary_loop(skin.triangles, FOREHEAD)


def rim(skin: Part) -> Part:
    """A band around the face that curls back and moves with the outline."""
    loop = outline_loop(skin)
    edge = skin.vertices[loop]
    tangent = np.roll(edge, -1, 0) - np.roll(edge, 1, 0)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    if (normal * (edge - edge.mean(0))[:, :2]).sum() < 0:
        normal = -normal
    rings = [edge]
    for outwards, backwards in _RIM_MM:
        rings.append(
            edge + np.concatenate([normal * outwards, np.full((len(edge), 1), backwards)], 1)
        )
    vertices = np.concatenate(rings)
    triangles = grid_triangles(len(rings), len(loop), closed=True)
    return Part(
        name="rim",
        vertices=vertices,
        triangles=facing(vertices, triangles),
        shapes={name: np.tile(field[loop], (len(rings), 1)) for name, field in skin.shapes.items()},
        head_weights=np.ones(len(vertices)),
        coordinates={"out": np.repeat(np.arange(float(len(rings))), len(loop))},
    )


def jaw_sheet(skin: Part) -> Part:
    """The underside and sides of the jaw, swept back from the lower outline.

    Coordinates: `depth` (0 at the outline, 1 at the back), `source` (skin vertex it continues).
    """
    vertices = skin.vertices
    loop = _lower_run(skin)
    edge = vertices[loop]
    middle_x = vertices[[_EAR_RIGHT, _EAR_LEFT], 0].mean()
    lips_y = vertices[LIP_POINTS[0, Ring.INNER, 5], 1]
    under = np.clip((edge[:, 1] - lips_y) / (vertices[CHIN, 1] - lips_y), 0, 1)
    depth = np.maximum(
        vertices[_EAR_RIGHT, 2] + _SHEET_MIN_DEPTH_MM - edge[:, 2], _SHEET_MIN_DEPTH_MM
    )
    steps = np.linspace(0, 1, _SHEET_ROWS)
    rows, moved = [], []
    for t in steps:
        row = edge.copy()
        row[:, 0] += (middle_x - row[:, 0]) * (0.04 + 0.16 * t)
        row[:, 1] += -2.0 - 4 * t * (1 - under)
        row[:, 1] += under * (16 * max(0.0, t - 0.5) - 6 * np.sin(min(1, t * 1.6) * np.pi / 2))
        row[:, 2] += 2.0 + t * depth
        rows.append(row)
        moved.append(1 - smoothstep(0, 0.8, t))
    follow = np.repeat(np.array(moved), len(loop))[:, None]
    sheet = np.concatenate(rows)
    triangles = grid_triangles(_SHEET_ROWS, len(loop))
    centre = np.array([middle_x, lips_y, sheet[:, 2].mean()])
    outwards = sheet[triangles].mean(1) - centre
    t_of_vertex = np.repeat(steps, len(loop))
    return Part(
        name="jaw_sheet",
        vertices=sheet,
        triangles=facing(sheet, triangles, outwards),
        shapes=_tiled(skin.shapes, loop, _SHEET_ROWS, follow),
        head_weights=1 - 0.45 * t_of_vertex,
        coordinates={"depth": t_of_vertex, "source": np.tile(loop, _SHEET_ROWS).astype(float)},
    )


def _lower_run(skin: Part) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The part of the outline below the ears, as one run."""
    loop = outline_loop(skin)
    low = skin.vertices[loop, 1] > skin.vertices[_EAR_RIGHT, 1] - 6
    # The loop starts at the forehead, so the low part never wraps around.
    first, last = np.flatnonzero(low)[[0, -1]]
    return loop[first : last + 1]


def _tiled(
    shapes: Mapping[str, Array],
    loop: np.ndarray[tuple[int], np.dtype[np.int64]],
    rows: int,
    follow: Array,
) -> dict[str, Array]:
    return {name: np.tile(field[loop], (rows, 1)) * follow for name, field in shapes.items()}
