"""Colours to the encoder's planes on the device, so that a third of the bytes travel back."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from lipstream.render.color import OFFSET, TO_YUV

__all__ = ["to_nv12", "to_yuv420p"]


def to_yuv420p(rgb: Tensor) -> Tensor:  # [B, 3, H, W] sRGB 0..1 -> [B, 3 H / 2, W] bytes
    """Planes Y, U, V one below the other, as `SplatRenderer.yuv420p`."""
    luma, chroma = _luma_chroma(rgb)
    height, width = luma.shape[1:]
    return torch.cat([luma, chroma.reshape(len(rgb), height // 2, width)], 1)


def to_nv12(rgb: Tensor) -> Tensor:  # [B, 3, H, W] sRGB 0..1 -> [B, 3 H / 2, W] bytes
    """Y, then U and V in turns: what hardware encoders take."""
    luma, chroma = _luma_chroma(rgb)
    height, width = luma.shape[1:]
    return torch.cat([luma, chroma.permute(0, 2, 3, 1).reshape(len(rgb), height // 2, width)], 1)


def _luma_chroma(rgb: Tensor) -> tuple[Tensor, Tensor]:  # [B, H, W], [B, 2, H / 2, W / 2]
    matrix = torch.as_tensor(TO_YUV, dtype=rgb.dtype, device=rgb.device)
    offset = torch.as_tensor(OFFSET, dtype=rgb.dtype, device=rgb.device)
    yuv = torch.einsum("kc,bcyx->bkyx", matrix, rgb.clamp(0, 1)) + offset[:, None, None]
    chroma = functional.avg_pool2d(yuv[:, 1:], 2)
    return yuv[:, 0].round().to(torch.uint8), chroma.round().to(torch.uint8)
