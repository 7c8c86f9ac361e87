"""The cavity of the mouth: a dark sock behind the lips."""

from __future__ import annotations

import numpy as np

from lipstream.face.expressions import Jaw
from lipstream.face.parts.mouth_line import around_mouth, mouth_loop
from lipstream.face.parts.part import Part, facing, grid_triangles

__all__ = ["sock"]

_SOCK_DEPTHS = (0.0, 0.05, 0.12, 0.25, 0.5, 1.0)


def sock(skin: Part, jaw: Jaw) -> Part:
    """The inner side of the lips and the cavity behind them.

    Coordinates: `depth` (0 at the lips, 1 deep, 1.2 the back wall).
    """
    loop = mouth_loop(skin)
    edge = skin.vertices[loop]
    centre = edge.mean(0)
    middle, lower = around_mouth(loop)
    inside = np.minimum(1, middle * 1.5)
    rings, swings = [], []
    for t in _SOCK_DEPTHS:
        flare = np.sin(min(1, t * 3.5) * np.pi / 2)
        ring = edge.copy()
        ring[:, 0] = centre[0] + (ring[:, 0] - centre[0]) * (1 + 0.18 * flare - 0.1 * t)
        ring[:, 1] += np.where(lower > 0.5, 11.0, -9.0) * flare * inside
        ring[:, 2] += 2.2 * min(1, t / 0.08) * (middle * 0.7 + 0.3) + 38 * t**1.2
        rings.append(ring)
        near_corner = 1 - np.minimum(1, middle * 2)
        follow = (lower * (1 - near_corner) + 0.4 * near_corner)[:, None]
        swings.append(jaw.swing(ring) * follow)
    wall = np.tile(centre + np.array([0, 0, 44.0]), (len(loop), 1))
    vertices = np.concatenate([*rings, wall])
    triangles = grid_triangles(len(rings) + 1, len(loop), closed=True)

    depths = np.repeat([*_SOCK_DEPTHS, 1.2], len(loop))
    rows = len(rings) + 1
    with_lips = np.clip(1 - depths * 1.3, 0, 1)[:, None]
    shapes = {
        name: np.tile(field[loop], (rows, 1)) * with_lips for name, field in skin.shapes.items()
    }
    # The cavity hangs on the bone of the jaw, its mouth on the lips.
    on_bone = np.minimum(1, depths * 2)[:, None]
    swing = np.concatenate([*swings, jaw.swing(wall) * 0.4])
    lips_open = np.tile(skin.shapes["jawOpen"][loop], (rows, 1))
    shapes["jawOpen"] = lips_open * (1 - on_bone) + swing * on_bone
    back_wall = slice(-2 * len(loop), None)
    return Part(
        name="sock",
        vertices=vertices,
        triangles=facing(vertices, triangles, judged_by=back_wall),
        shapes=shapes,
        head_weights=np.ones(len(vertices)),
        coordinates={"depth": depths},
    )
