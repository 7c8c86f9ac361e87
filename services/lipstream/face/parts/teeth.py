"""Two arches of teeth; the lower one hangs on the jaw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipstream.face.expressions import Jaw
from lipstream.face.neutral import NeutralFace
from lipstream.face.parts.mouth_line import around_mouth, mouth_loop
from lipstream.face.parts.part import Array, Part, facing, grid_triangles

__all__ = ["LOWER_TEETH", "UPPER_TEETH", "Arch", "teeth", "teeth_depth"]


@dataclass(frozen=True, slots=True)
class Arch:
    """One arch of teeth; millimetres."""

    name: str
    widths: tuple[float, ...]  # of the teeth from the middle to the side
    half_length: float
    crown: float  # height of the teeth
    gum: float
    upper: bool

    @property
    def boundaries(self) -> Array:
        """Where teeth meet, along the arch from its middle."""
        return np.cumsum([0.0, *self.widths])


UPPER_TEETH = Arch("upper_teeth", (8.4, 6.6, 7.6, 7.0, 6.6, 9.0), 38, 9.6, 6, True)
LOWER_TEETH = Arch("lower_teeth", (5.3, 5.8, 6.8, 7.0, 7.0, 9.0), 36, 8.2, 5, False)


def teeth_depth(face: NeutralFace, skin: Part) -> float:
    """z of the upper incisors: just behind the deepest point of the lips' line."""
    loop = mouth_loop(skin)
    middle, _ = around_mouth(loop)
    return float(max(skin.vertices[loop, 2][middle > 0.8].max(), face.photo[[13, 14], 2].max()) + 2)


def teeth(arch: Arch, face: NeutralFace, skin: Part, jaw: Jaw) -> Part:
    """One arch.

    Coordinates: `arc` (mm from the middle, along the arch), `height` (0 cutting edge, 1 gum).
    """
    depth = teeth_depth(face, skin)
    edge_y = face.incisal_edge_y
    if not arch.upper:
        edge_y, depth = face.lower_edge_y, depth + 3.0
    arc = np.linspace(-arch.half_length, arch.half_length, 72)
    height = np.linspace(0, 1, 16) * (arch.crown + arch.gum)  # mm from the edge
    x, z = _bow(arc, arch.half_length)
    nearest = np.abs(np.abs(arc)[:, None] - arch.boundaries).min(1)
    scallop = 0.30 * np.exp(-((nearest / 0.9) ** 2))
    shorter = np.interp(np.abs(arc), [0, 5, 8, 14, 18], [0, 0.0, 0.6, 0.2, 0.6])

    rise = height[:, None] + (scallop + shorter) * (1 - height[:, None] / height[-1])
    belly = 0.72 * np.sin(np.pi * np.minimum(1, height / arch.crown))
    grid = np.empty((len(height), len(arc), 3))
    grid[..., 0] = face.photo[[13, 14], 0].mean() + x
    grid[..., 1] = edge_y + (-rise if arch.upper else rise)
    grid[..., 2] = depth + z + (0.6 * height / arch.crown - belly)[:, None]
    vertices = grid.reshape(-1, 3)
    return Part(
        name=arch.name,
        vertices=vertices,
        triangles=facing(vertices, grid_triangles(len(height), len(arc))),
        shapes={} if arch.upper else jaw.carry(vertices),
        head_weights=np.ones(len(vertices)),
        coordinates={
            "arc": np.tile(arc, len(height)),
            "height": np.repeat(height / arch.crown, len(arc)),
        },
    )


def _bow(arc: Array, half_length: float) -> tuple[Array, Array]:
    """x and z at places along a dental arch, half an ellipse."""
    angle = np.linspace(-0.48 * np.pi, 0.48 * np.pi, 401)
    x, z = 0.68 * half_length * np.sin(angle), 0.98 * half_length * (1 - np.cos(angle))
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))])
    length -= length[200]
    return np.interp(arc, length, x), np.interp(arc, length, z)
