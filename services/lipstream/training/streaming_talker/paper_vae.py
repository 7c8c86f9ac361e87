"""The paper's encoder and decoder of vertex motion, at the sizes of its presets.

Linear and leaky rectifier, a convolution with instance normalisation over time, six transformer
layers; the decoder mirrors this. Both see the whole clip, so they serve training and recordings.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lipstream.training.streaming_talker.config import LatentConfig

__all__ = ["PaperDecoder", "PaperEncoder"]

_KERNEL = 5
_SLOPE = 0.2


class PaperEncoder(nn.Module):
    def __init__(self, config: LatentConfig) -> None:
        super().__init__()
        self.spread = nn.Linear(config.motion, config.hidden)
        self.body = _Body(config)
        self.project = nn.Linear(config.hidden, config.width)

    def forward(self, motion: Tensor) -> Tensor:  # [B, T, M] -> [B, T, Z]
        hidden = nn.functional.leaky_relu(self.spread(motion), _SLOPE)
        return self.project(self.body(hidden))  # type: ignore[no-any-return]


class PaperDecoder(nn.Module):
    def __init__(self, config: LatentConfig) -> None:
        super().__init__()
        self.spread = nn.Linear(config.width, config.hidden)
        self.body = _Body(config)
        self.project = nn.Linear(config.hidden, config.motion)

    def forward(self, latent: Tensor) -> Tensor:  # [B, T, Z] -> [B, T, M]
        return self.project(self.body(self.spread(latent)))  # type: ignore[no-any-return]


class _Body(nn.Module):
    """Convolution, normalisation, transformer; the time of a frame by sine and cosine."""

    def __init__(self, config: LatentConfig) -> None:
        super().__init__()
        width = config.hidden
        self.smooth = nn.Conv1d(width, width, _KERNEL, padding="same", padding_mode="replicate")
        self.norm = nn.InstanceNorm1d(width)
        layer = nn.TransformerEncoderLayer(
            width, config.heads, config.feed_forward, 0.0, "gelu", batch_first=True
        )
        self.transformer = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:  # [B, T, C] -> [B, T, C]
        hidden = nn.functional.leaky_relu(self.smooth(x.transpose(1, 2)), _SLOPE)
        hidden = self.norm(hidden).transpose(1, 2)
        return self.transformer(hidden + _positions(hidden))  # type: ignore[no-any-return]


def _positions(x: Tensor) -> Tensor:  # [B, T, C] -> [T, C]
    times = torch.arange(x.shape[1], device=x.device, dtype=x.dtype)[:, None]
    half = x.shape[2] // 2
    rates = torch.exp(torch.arange(half, device=x.device) * (-math.log(10_000.0) / half))
    return torch.cat([torch.sin(times * rates), torch.cos(times * rates)], 1)
