"""From placed Gaussians to pictures."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from lipstream.errors import Unavailable
from lipstream.render.gpu.placed import Placed
from lipstream.render.view import View

__all__ = ["GsplatRasterizer", "Rasterizer"]

_NEAR_MM = 1.0


class Rasterizer(Protocol):
    def __call__(
        self, placed: Placed, *, focal_px: float, view: View, low_pass_px2: float
    ) -> tuple[Tensor, Tensor]:
        """Premultiplied colours `# [B, H, W, 3]` and transmittance `# [B, H, W]`."""
        ...


class GsplatRasterizer:
    """gsplat's kernels, all frames in one call. It compiles them at first use, unless the image
    brings them compiled.

    Raises:
        Unavailable: gsplat or a CUDA device is missing.
    """

    def __init__(self) -> None:
        if not torch.cuda.is_available():
            raise Unavailable(
                "There is no CUDA device to draw on.",
                remedy="Draw on the processor: SplatRenderer, or LIPSTREAM_RENDER_DEVICE=cpu.",
            )
        try:
            from gsplat import rasterization
        except ImportError as error:
            raise Unavailable(
                "gsplat is not installed.", remedy="Install the extra: pip install 'lipstream[gpu]'"
            ) from error
        self._rasterization = rasterization

    def __call__(
        self, placed: Placed, *, focal_px: float, view: View, low_pass_px2: float
    ) -> tuple[Tensor, Tensor]:
        means = placed.means
        batch = len(means)
        x, y = view.centre_px
        camera = means.new_tensor([[focal_px, 0, x], [0, focal_px, y], [0, 0, 1]])
        colors, alphas, _ = self._rasterization(
            means=means,
            quats=None,
            scales=None,
            covars=placed.covariances,
            opacities=placed.opacities,
            colors=placed.colors,
            viewmats=torch.eye(4, device=means.device).expand(batch, 1, 4, 4).contiguous(),
            Ks=camera.expand(batch, 1, 3, 3).contiguous(),
            width=view.size.width_px,
            height=view.size.height_px,
            near_plane=_NEAR_MM,
            eps2d=low_pass_px2,
            packed=False,
        )
        return colors[:, 0], 1 - alphas[:, 0, ..., 0]
