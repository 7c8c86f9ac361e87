"""A rasteriser in plain torch, every Gaussian over every pixel: what gsplat does, for tiny scenes
on any device."""

from __future__ import annotations

import torch
from torch import Tensor

from lipstream.render.gpu import Placed
from lipstream.render.splats.constants import ALPHA_MAX, ALPHA_MIN
from lipstream.render.view import View

__all__ = ["dense"]


def dense(
    placed: Placed, *, focal_px: float, view: View, low_pass_px2: float
) -> tuple[Tensor, Tensor]:
    """Premultiplied colours `# [B, H, W, 3]` and transmittance `# [B, H, W]`."""
    frames = [_frame(placed, b, focal_px, view, low_pass_px2) for b in range(len(placed.means))]
    colors, transmittance = zip(*frames, strict=True)
    return torch.stack(colors), torch.stack(transmittance)


def _frame(
    placed: Placed, b: int, focal_px: float, view: View, low_pass_px2: float
) -> tuple[Tensor, Tensor]:
    order = placed.means[b, :, 2].argsort(stable=True)
    means, opacities = placed.means[b, order], placed.opacities[b, order]
    x, y, z = means.unbind(1)
    zero = torch.zeros_like(z)
    across = torch.stack([1 / z, zero, -x / z**2], 1)
    along = torch.stack([zero, 1 / z, -y / z**2], 1)
    jacobian = focal_px * torch.stack([across, along], 1)  # [N, 2, 3]
    flat = jacobian @ placed.covariances[b, order] @ jacobian.transpose(1, 2)
    conics = torch.linalg.inv(flat + low_pass_px2 * torch.eye(2))
    centres = focal_px * torch.stack([x / z, y / z], 1) + torch.tensor(view.centre_px)
    columns = torch.arange(view.size.width_px) + 0.5
    rows = torch.arange(view.size.height_px) + 0.5
    dx = columns[None, None, :] - centres[:, 0, None, None]
    dy = rows[None, :, None] - centres[:, 1, None, None]
    a, b_, c = (conics[:, i, j, None, None] for i, j in ((0, 0), (0, 1), (1, 1)))
    alpha = opacities[:, None, None] * torch.exp(-0.5 * (a * dx * dx + c * dy * dy) - b_ * dx * dy)
    alpha = torch.where(alpha >= ALPHA_MIN, alpha.clamp(max=ALPHA_MAX), 0)
    through = torch.cumprod(1 - alpha, 0)
    before = torch.cat([torch.ones_like(through[:1]), through[:-1]])
    colors = torch.einsum("nyx,nc->yxc", before * alpha, placed.colors[b, order])
    return colors, through[-1]
