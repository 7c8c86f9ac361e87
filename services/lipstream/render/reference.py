"""What a picture is, in plain float64 numpy, straight from the definition.

Slow on purpose: one Gaussian after the other, no tiles, no approximations, no early stop. The
kernels are tested against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.face.follow import torso_shift
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats
from lipstream.render.geometry import rotation_matrix
from lipstream.render.pose import Pose
from lipstream.render.splats.constants import ALPHA_MAX, ALPHA_MIN, FADE_COSINE, low_pass_px2

__all__ = [
    "Placed",
    "Projected",
    "blend",
    "blend_weights",
    "camera_vertices",
    "picture",
    "place",
    "project",
    "tinted",
]

Doubles: TypeAlias = NDArray[np.float64]
Order: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Projected:
    """Every Gaussian on the picture, drawn or not."""

    centres: Doubles  # [N, 2] px
    covariances: Doubles  # [N, 2, 2] px^2
    depths: Doubles  # [N] mm, with the bias
    opacities: Doubles  # [N] with the fade; 0 where culled
    colors: Doubles  # [N, 3] sRGB, tinted

    @property
    def order(self) -> Order:  # [N] nearest first
        return np.argsort(self.depths, kind="stable")


@dataclass(frozen=True, slots=True)
class Placed:
    """Every Gaussian before the camera."""

    points: Doubles  # [N, 3] mm, camera frame
    axes: Doubles  # [N, 3, 2] mm, camera frame: covariance = axes @ axes^T
    opacities: Doubles  # [N] with the fade; 0 where culled


def camera_vertices(model: AvatarModel, pose: Pose) -> Doubles:  # [V, 3] mm
    """Shapes, then the head's pose blended by the head weights, then the camera."""
    surface = model.surface
    shapes = surface.shapes
    rows = np.repeat(np.arange(len(surface.vertices)), np.diff(shapes.offsets))
    moved = surface.vertices.astype(np.float64)
    weights = pose.shape_weights.astype(np.float64)
    np.add.at(moved, rows, weights[shapes.ids, None] * shapes.vectors)
    pivot = surface.head_pivot.astype(np.float64)
    turned = (moved - pivot) @ rotation_matrix(pose.rotation).T + pivot
    turned += pose.translation * np.array([1.0, -1.0, -1.0])
    resting = moved.copy()
    if model.torso is not None:
        resting[:, :2] += torso_shift(pose.rotation, pose.translation) * np.array([1.0, -1.0])
    posed = resting + surface.head_weights[:, None] * (turned - resting)
    camera = surface.head_to_camera.astype(np.float64)
    result: Doubles = posed @ camera[:, :3].T + camera[:, 3]
    return result


def place(model: AvatarModel, vertices: Doubles) -> Placed:  # [V, 3] mm, camera frame
    """The Gaussians on their triangles, faded by how far these face the camera."""
    gaussians = model.gaussians
    a, b, c = (vertices[model.surface.triangles[:, k]] for k in range(3))
    edges = np.stack([b - a, c - a], axis=-1)  # [F, 3, 2]
    normals = np.cross(b - a, c - a)
    middles = (a + b + c) / 3
    lengths = np.linalg.norm(normals, axis=1) * np.linalg.norm(middles, axis=1)
    cosines = -(normals * middles).sum(axis=1) / np.maximum(lengths, 1e-20)
    fades = np.clip((cosines - model.cull_cosine) / FADE_COSINE, 0, 1)

    t = gaussians.triangle_ids
    corners = np.stack([a, b, c], axis=1)[t]  # [N, 3, 3]
    return Placed(
        points=np.einsum("nk,nkd->nd", gaussians.barycentric.astype(np.float64), corners),
        axes=edges[t] @ gaussians.axes.astype(np.float64),
        opacities=gaussians.opacities * fades[t],
    )


def tinted(model: AvatarModel, color_weights: Floats | None) -> Doubles:  # [N, 3]
    """The Gaussians' colours under the colour shapes' weights."""
    tints = model.color_shapes
    colors = model.gaussians.colors.astype(np.float64)
    if color_weights is not None:
        weights = np.repeat(color_weights.astype(np.float64), np.diff(tints.offsets))
        np.add.at(colors, tints.ids, weights[:, None] * tints.vectors)
    return colors


def project(model: AvatarModel, pose: Pose, size_px: int) -> Projected:
    """Needs `pose.color_weights` where the model has colour shapes."""
    placed = place(model, camera_vertices(model, pose))
    x, y, z = placed.points.T
    focal_px = model.focal * size_px
    zero = np.zeros_like(z)
    jacobians = focal_px * np.stack(
        [np.stack([1 / z, zero, -x / z**2], -1), np.stack([zero, 1 / z, -y / z**2], -1)], axis=1
    )  # [N, 2, 3]
    flat = jacobians @ placed.axes
    return Projected(
        centres=focal_px * np.stack([x / z, y / z], axis=-1) + size_px / 2,
        covariances=flat @ flat.transpose(0, 2, 1) + float(low_pass_px2(size_px)) * np.eye(2),
        depths=z + model.gaussians.depth_bias,
        opacities=placed.opacities,
        colors=tinted(model, pose.color_weights),
    )


def blend(projected: Projected, size_px: int, order: Order | None = None) -> Doubles:
    """[S, S, 4]: premultiplied red, green, blue, and transmittance, of the Gaussians alone.

    Args:
        order: Gaussians from near to far; by depth when None. Those left out are not drawn.
    """
    out = np.zeros((size_px, size_px, 4))
    out[..., 3] = 1
    for i in projected.order if order is None else order:
        alpha = _alpha(projected, int(i), size_px)
        weight = out[..., 3] * alpha
        out[..., :3] += weight[..., None] * projected.colors[i]
        out[..., 3] -= weight
    return out


def blend_weights(projected: Projected, size_px: int, order: Order | None = None) -> Doubles:
    """[N, S, S]: the part of every pixel that each Gaussian makes up. For tiny scenes."""
    weights = np.zeros((len(projected.depths), size_px, size_px))
    transmittance = np.ones((size_px, size_px))
    for i in projected.order if order is None else order:
        weights[i] = transmittance * _alpha(projected, int(i), size_px)
        transmittance -= weights[i]
    return weights


def picture(model: AvatarModel, pose: Pose, size_px: int, plate: Floats) -> Doubles:
    """[S, S, 3] sRGB 0..1 over a plate [S, S, 3] of that size."""
    drawn = blend(project(model, pose, size_px), size_px)
    result: Doubles = drawn[..., :3] + drawn[..., 3:] * plate
    return result


def _alpha(projected: Projected, i: int, size_px: int) -> Doubles:  # [S, S]
    centres = np.arange(size_px) + 0.5
    dx = centres[None, :] - projected.centres[i, 0]
    dy = centres[:, None] - projected.centres[i, 1]
    (a, b), (_, c) = np.linalg.inv(projected.covariances[i])
    opacity = min(projected.opacities[i], ALPHA_MAX)
    alpha = opacity * np.exp(-0.5 * (a * dx * dx + c * dy * dy) - b * dx * dy)
    return np.where(alpha >= ALPHA_MIN, alpha, 0.0)
