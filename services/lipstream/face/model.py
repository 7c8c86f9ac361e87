"""The avatar model: a rigged head of Gaussians in front of a plate, as arrays.

Made by a fit, drawn by every renderer. All geometry is in millimetres in the head frame: x to
the person's left (right in the picture), y down, z away from the camera. Images are square;
camera and plate do not depend on the size of the picture that is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.face.motion import Floats

__all__ = ["SPLATS", "AvatarModel", "ColorShapes", "Gaussians", "SparseShapes", "Surface"]

Ints: TypeAlias = NDArray[np.int32]

SPLATS = "splats"
"""The renderer of avatars that name no other."""


@dataclass(frozen=True, slots=True)
class SparseShapes:
    """Linear displacement shapes, stored by vertex (compressed rows).

    Vertex `v` is displaced by `sum(weights[ids[e]] * vectors[e])` over
    `offsets[v] <= e < offsets[v + 1]`.
    """

    names: tuple[str, ...]  # K: the 52 ARKit shapes first, then the model's own
    offsets: Ints  # [V + 1]
    ids: Ints  # [E] shape of each entry
    vectors: Floats  # [E, 3] mm at weight 1


@dataclass(frozen=True, slots=True)
class Surface:
    """The rigged mesh that carries the Gaussians."""

    vertices: (
        Floats  # [V, 3] mm, at rest; the first 468 are the face landmarks in MediaPipe's order
    )
    triangles: Ints  # [F, 3], wound so that (b - a) x (c - a) points to the camera (negative z)
    shapes: SparseShapes
    head_weights: Floats  # [V] 1 moves with the head, 0 stays with the torso
    head_pivot: Floats  # [3] mm, the point the head turns about
    head_to_camera: (
        Floats  # [3, 4] rigid: head frame to camera frame (x right, y down, z forward), mm
    )


@dataclass(frozen=True, slots=True)
class Gaussians:
    """Splats bound to triangles, sorted by triangle.

    With triangle corners (a, b, c) in camera space and E = [b - a, c - a]  # [3, 2]:
    centre = barycentric @ (a, b, c); covariance = (E @ axes) (E @ axes)^T, a flat disc that
    stretches with its triangle.
    """

    triangle_ids: Ints  # [N] ascending
    barycentric: Floats  # [N, 3]
    axes: Floats  # [N, 2, 2] edge basis to the two standard-deviation axes
    opacities: Floats  # [N] 0..1
    colors: Floats  # [N, 3] sRGB 0..1
    depth_bias: Floats  # [N] mm, added to the depth that orders the blending, to nothing else
    parts: NDArray[np.uint8]  # [N] index into AvatarModel.part_names


@dataclass(frozen=True, slots=True)
class ColorShapes:
    """Linear colour changes driven by what the face does (lid skin on a blink, a dark mouth).

    Entry `e` of shape `j` (`offsets[j] <= e < offsets[j + 1]`) adds
    `weight[j] * vectors[e]` to the colour of Gaussian `ids[e]`.
    """

    names: tuple[str, ...]  # J
    offsets: Ints  # [J + 1]
    ids: Ints  # [E] Gaussian of each entry
    vectors: Floats  # [E, 3] sRGB at weight 1


@dataclass(frozen=True, slots=True)
class AvatarModel:
    """Everything a renderer needs to draw one person.

    Projection: `u = focal * x / z + 0.5`, `v = focal * y / z + 0.5` in picture widths. Gaussians
    of triangles that face away (cosine of normal and view ray under `cull_cosine`) are not drawn.
    """

    surface: Surface
    gaussians: Gaussians
    color_shapes: ColorShapes
    part_names: tuple[str, ...]
    plate: NDArray[np.uint8]  # [P, P, 3] sRGB: background and torso with the head taken out
    focal: float  # picture widths
    cull_cosine: float = 0.0
    torso: NDArray[np.uint8] | None = None
    """[P, P] how much of each pixel of the plate belongs to the person, 0..255; None: unknown."""
    renderer: str = SPLATS  # name of what draws it
