"""Augmentation of log-mel batches, drawn anew in every training step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lipstream.audio.mel import BANDS

__all__ = ["SpectralAugmentation"]


def _interpolation(knots: int) -> Tensor:  # [knots, 80]
    """Matrix that spreads a few values linearly over the bands."""
    position = np.linspace(0, knots - 1, BANDS)
    left = np.minimum(position.astype(int), knots - 2)
    matrix = np.zeros((knots, BANDS), np.float32)
    matrix[left, np.arange(BANDS)] = 1 - (position - left)
    matrix[left + 1, np.arange(BANDS)] += position - left
    return torch.tensor(matrix)


@dataclass(frozen=True, slots=True)
class SpectralAugmentation:
    """Vocal-tract warp, colour, blur, a noise floor, masked bands."""

    warp: float = 0.8
    color: float = 0.7
    blur: float = 0.4
    floor: float = 0.5
    masks: int = 2

    def apply(self, mel: Tensor) -> Tensor:  # [B, T, 80] -> [B, T, 80]
        mel = self._warped(mel)
        batch = len(mel)
        color = (0.7 * torch.randn(batch, 7)) @ _interpolation(7)
        color = color * (torch.rand(batch, 1) < self.color)
        mel = mel + color[:, None] + 1.2 * torch.randn(batch, 1, 1)
        reach = int(torch.randint(1, 4, (1,)))
        padded = functional.pad(mel, (reach, reach), mode="replicate")
        smooth = functional.avg_pool1d(padded, 2 * reach + 1, 1)
        amount = (1.4 * torch.rand(batch, 1, 1) - 0.4) * (torch.rand(batch, 1, 1) < self.blur)
        mel = mel + amount * (smooth - mel)
        mel = self._noisy(mel)
        for row in range(batch):
            for _ in range(int(torch.randint(0, self.masks + 1, (1,)))):
                first = int(torch.randint(0, BANDS - 6, (1,)))
                mel[row, :, first : first + int(torch.randint(1, 8, (1,)))] = mel[row].mean()
        return mel

    def _warped(self, mel: Tensor) -> Tensor:
        batch, count, _ = mel.shape
        bands = torch.arange(float(BANDS))
        bend = 3.0 * torch.randn(batch, 1) * torch.sin(torch.pi * bands / (BANDS - 1))
        warped = bands * torch.exp(0.08 * torch.randn(batch, 1)) + bend
        source = torch.where(torch.rand(batch, 1) < self.warp, warped, bands.expand(batch, -1))
        source = source.clamp(0, BANDS - 1.001)
        lower = source.long()
        share = (source - lower)[:, None]
        index = lower[:, None].expand(-1, count, -1)
        return mel.gather(2, index) * (1 - share) + mel.gather(2, index + 1) * share

    def _noisy(self, mel: Tensor) -> Tensor:
        batch = len(mel)
        shape = (1.2 * torch.randn(batch, 6)) @ _interpolation(6)
        loud = mel.mean(2).quantile(0.6, dim=1)[:, None, None]
        depth = 1 + 6 * torch.rand(batch, 1, 1)
        absent = 100 * (torch.rand(batch, 1, 1) > self.floor)
        floor = shape[:, None] + loud - depth - absent
        return torch.logaddexp(mel, floor + 0.5 * torch.randn_like(mel))
