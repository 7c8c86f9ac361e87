"""The tongue, which follows the jaw and can come out."""

from __future__ import annotations

import numpy as np

from lipstream.face.cage import Points
from lipstream.face.expressions import Jaw
from lipstream.face.landmarks import Ring
from lipstream.face.lip_field import LIP_POINTS
from lipstream.face.neutral import NeutralFace
from lipstream.face.parts.part import Array, Part, facing, grid_triangles, smoothstep
from lipstream.face.parts.teeth import teeth_depth
from lipstream.face.shape_names import TONGUE_TIP

__all__ = ["tongue"]

_TIP_ABOVE_EDGE_MM = 2.4
_SPEAKING_JAW = 0.15
"""`jawOpen` at which the raised tip meets the edge: /l/ and /th/ open the jaw, which lowers it."""
_TIP_BEHIND_TEETH_MM = 1.5
_TIP_NARROW = 0.62
"""Width of a raised tip over that of one at rest."""


def tongue(face: NeutralFace, skin: Part, jaw: Jaw, depth_bias_mm: float) -> Part:
    """The tongue, resting behind the lower teeth.

    Coordinates: `across` (-1..1), `along` (0 under the tip, 1 at the root).

    Args:
        depth_bias_mm: by which the tongue is ordered behind where it is: `tongueOut` brings it
            so much further forward that it comes to lie before the lower lip.
    """
    across = np.linspace(-1, 1, 21)
    along = np.linspace(0, 1, 16)
    width = 17 * np.sqrt(1 - (1 - np.minimum(1, along * 2.4 + 0.03)) ** 2)
    grid = np.empty((len(along), len(across), 3))
    grid[..., 0] = face.photo[[13, 14], 0].mean() + width[:, None] * across
    # A round tip: the first rows drop below it, so the tongue has a front to be seen.
    tip = 6.0 * np.clip(1 - along / 0.14, 0, 1) ** 2
    top = 9.5 - 5.5 * np.sin(np.pi * np.minimum(1, along * 0.7 + 0.08))
    groove = 4.0 * across**2 + np.exp(-((across / 0.14) ** 2))
    grid[..., 1] = face.incisal_edge_y + (top + tip)[:, None] + groove
    grid[..., 2] = teeth_depth(face, skin) + 8 + (34 * along)[:, None] + 3 * across**2
    vertices = grid.reshape(-1, 3)

    shapes = jaw.carry(vertices, swing=0.92, slide=0.7)
    v = np.repeat(along, len(across))
    # The front half comes out as a whole; its tip furthest, and hanging over the lower lip.
    out, tip_lead = 1 - smoothstep(0.35, 0.75, v), np.clip(1 - v / 0.45, 0, 1)
    groove_mm = np.tile(0.5 * across**2, len(along))
    outside_y = face.neutral[14, 1] - 4.0 + 14.0 * tip_lead**1.3 + groove_mm
    lip_z = face.neutral[LIP_POINTS[1, : Ring.SKIN].reshape(-1), 2].min()
    outside_z = lip_z - depth_bias_mm - 5.0 - 12.0 * tip_lead
    shapes["tongueOut"] = np.stack(
        [
            np.zeros(len(v)),
            out * (outside_y - vertices[:, 1]),
            out * (outside_z - vertices[:, 2]),
        ],
        1,
    )
    lowered = _SPEAKING_JAW * shapes["jawOpen"].reshape(grid.shape)
    shapes[TONGUE_TIP] = _raised(face, skin, grid, along, lowered)
    return Part(
        name="tongue",
        vertices=vertices,
        triangles=facing(vertices, grid_triangles(len(along), len(across))),
        shapes=shapes,
        head_weights=np.ones(len(vertices)),
        coordinates={"across": np.tile(across, len(along)), "along": v},
    )


def _raised(face: NeutralFace, skin: Part, grid: Points, along: Array, lowered: Points) -> Array:
    """The front of the tongue lifted so that its tip meets the edge of the upper incisors.

    A raised tip is narrow: beside it the dark of the mouth is seen.
    """
    top = grid[:, grid.shape[1] // 2]  # [A, 3] the middle line
    highest = int(np.argmin(top[:, 1]))
    tip_y = (grid + lowered)[highest, grid.shape[1] // 2, 1]
    lift = face.incisal_edge_y - _TIP_ABOVE_EDGE_MM - tip_y
    push = teeth_depth(face, skin) + _TIP_BEHIND_TEETH_MM - grid[..., 2].min()
    front = (1 - smoothstep(0.35, 0.9, along))[:, None]
    moved = np.zeros_like(grid)
    middle_x = grid[:, grid.shape[1] // 2, 0]
    moved[..., 0] = (_TIP_NARROW - 1) * (grid[..., 0] - middle_x[:, None]) * front
    moved[..., 1] = lift * front
    moved[..., 2] = push * front
    return moved.reshape(-1, 3)
