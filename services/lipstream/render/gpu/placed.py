"""Gaussians in camera space: where the posed surface has carried them.

The same definitions as `render.reference`, for a batch of frames of one avatar, on any device and
differentiable.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lipstream.render.gpu.device_scene import DeviceScene
from lipstream.render.splats.constants import FADE_COSINE

__all__ = ["Placed", "place"]

_NEAR_MM = 1.0


@dataclass(frozen=True, slots=True)
class Placed:
    """B frames of N Gaussians."""

    means: Tensor  # [B, N, 3] mm, camera frame
    covariances: Tensor  # [B, N, 3, 3] mm^2
    opacities: Tensor  # [B, N] with the fade; 0 where culled
    colors: Tensor  # [B, N, 3] sRGB, tinted

    def padded(self, count: int) -> Placed:
        """With Gaussians that are not drawn, up to `count` in each frame."""
        missing = count - self.means.shape[1]
        if not missing:
            return self
        batch = len(self.means)
        # In front of the camera, small, and without opacity.
        far = self.means.new_tensor([0.0, 0.0, 1e3]).expand(batch, missing, 3)
        dots = torch.eye(3, device=far.device).expand(batch, missing, 3, 3)
        return Placed(
            torch.cat([self.means, far], 1),
            torch.cat([self.covariances, dots], 1),
            torch.cat([self.opacities, far.new_zeros(batch, missing)], 1),
            torch.cat([self.colors, far.new_zeros(batch, missing, 3)], 1),
        )


def place(
    scene: DeviceScene,
    vertices: Tensor,  # [B, V, 3] mm, deformed, head frame
    still: Tensor,  # [B, 3, 4] head frame to camera frame, for what stays with the torso
    moved: Tensor,  # [B, 3, 4] the same for what moves with the head
    color_weights: Tensor,  # [B, J]
) -> Placed:
    """
    A Gaussian's depth bias moves it along its ray of view, and its covariance grows in proportion:
    its picture stays the same, and rasterisers that sort by depth alone sort it as they should.
    """
    resting = _affine(vertices, still)
    camera = resting + scene.head_weights * (_affine(vertices, moved) - resting)
    a, b, c = (camera[:, scene.triangles[:, k]] for k in range(3))  # each [B, F, 3]
    first, second = b - a, c - a
    normals = torch.linalg.cross(first, second)
    middles = (a + b + c) / 3
    lengths = normals.norm(dim=2) * middles.norm(dim=2)
    cosines = -(normals * middles).sum(2) / lengths.clamp(min=1e-20)
    limit = float(scene.scene.cull_cosine)
    fades = ((cosines - limit) / FADE_COSINE).clamp(0, 1)  # [B, F]

    t = scene.triangle_ids
    corners = torch.stack([a, b, c], 2)[:, t]  # [B, N, 3, 3]
    means = (scene.barycentric[:, :, None] * corners).sum(2)
    edges = torch.stack([first, second], 3)[:, t]  # [B, N, 3, 2]
    axes = edges @ scene.axes
    nearer = 1 + scene.depth_bias / means[..., 2].clamp(min=_NEAR_MM)
    axes = axes * nearer[..., None, None]
    tinted = torch.sparse.mm(scene.tints.t(), color_weights.t()).t() if len(scene.tints) else 0
    colors = scene.colors + torch.as_tensor(tinted, device=means.device).reshape(
        len(vertices), -1, 3
    )
    return Placed(
        means=means * nearer[..., None],
        covariances=axes @ axes.transpose(2, 3),
        opacities=scene.opacities * fades[:, t],
        colors=colors,
    )


def _affine(points: Tensor, matrices: Tensor) -> Tensor:  # [B, V, 3], [B, 3, 4] -> [B, V, 3]
    return points @ matrices[:, :, :3].transpose(1, 2) + matrices[:, None, :, 3]
