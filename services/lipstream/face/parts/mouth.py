"""Inside the mouth: a dark sock behind the lips, two arches of teeth, a tongue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipstream.face.cage import Points
from lipstream.face.expressions import JAW_SLIDES, Jaw
from lipstream.face.landmarks import INNER_LIP_CORNERS, Ring
from lipstream.face.lip_field import LIP_POINTS
from lipstream.face.neutral import NeutralFace
from lipstream.face.parts.part import Array, Part, facing, grid_triangles, smoothstep
from lipstream.face.topology import boundary_loop

__all__ = [
    "LOWER_TEETH",
    "UPPER_TEETH",
    "Arch",
    "mouth_loop",
    "sock",
    "teeth",
    "teeth_depth",
    "tongue",
]

_SOCK_DEPTHS = (0.0, 0.05, 0.12, 0.25, 0.5, 1.0)
_UPPER_LIP_MIDDLE = 13


def mouth_loop(skin: Part) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The line where the lips meet, from the person's right corner around."""
    loop = boundary_loop(skin.triangles, _UPPER_LIP_MIDDLE)
    return np.roll(loop, -int(np.flatnonzero(loop == INNER_LIP_CORNERS[0])[0]))


def sock(skin: Part, jaw: Jaw) -> Part:
    """The inner side of the lips and the cavity behind them.

    Coordinates: `depth` (0 at the lips, 1 deep, 1.2 the back wall).
    """
    loop = mouth_loop(skin)
    edge = skin.vertices[loop]
    centre = edge.mean(0)
    middle, lower = _around(loop)
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


def _around(loop: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[Array, Array]:
    """For each point of the loop: 0 at a corner to 1 mid-lip; 1 on the lower lip."""
    left = int(np.flatnonzero(loop == INNER_LIP_CORNERS[1])[0])
    upper_first = int(np.flatnonzero(loop == _UPPER_LIP_MIDDLE)[0]) < left
    place = np.arange(len(loop))
    first = place <= left
    share = np.where(first, place / left, (place - left) / (len(loop) - left))
    return np.sin(np.pi * share), np.where(first == upper_first, 0.0, 1.0)


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
    middle, _ = _around(loop)
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
        shapes={} if arch.upper else _with_jaw(vertices, jaw, 1.0, 1.0),
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

    shapes = _with_jaw(vertices, jaw, 0.92, 0.7)
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
    return Part(
        name="tongue",
        vertices=vertices,
        triangles=facing(vertices, grid_triangles(len(along), len(across))),
        shapes=shapes,
        head_weights=np.ones(len(vertices)),
        coordinates={"across": np.tile(across, len(along)), "along": v},
    )


def _with_jaw(vertices: Points, jaw: Jaw, swing: float, slide: float) -> dict[str, Array]:
    shapes = {"jawOpen": jaw.swing(vertices) * swing}
    for name, offset in JAW_SLIDES.items():
        shapes[name] = np.tile(np.array(offset) * slide, (len(vertices), 1))
    return shapes
