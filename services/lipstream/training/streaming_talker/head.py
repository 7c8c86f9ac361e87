"""The head that turns a condition into a latent: one layer, with diffusion or without.

It predicts the clean latent from a noisy one. What depends on the condition and on the time alone
is computed once a frame, so a step costs two small products.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from lipstream.training.streaming import affine

__all__ = ["DiffusionHead", "RegressionHead", "denoise"]

_TIME_WIDTH = 64


class DiffusionHead(nn.Module):
    def __init__(self, latent: int, condition: int) -> None:
        super().__init__()
        self.noisy = nn.Linear(latent, condition, bias=False)
        self.condition = nn.Linear(condition, condition)
        self.time = nn.Linear(_TIME_WIDTH, condition)
        self.clean = nn.Linear(condition, latent)
        self.direct = nn.Linear(condition, latent, bias=False)

    def forward(self, noisy: Tensor, condition: Tensor, times: Tensor) -> Tensor:  # [..., Z]
        """The clean latent that the head sees.

        Args:
            noisy: `# [..., Z]`
            condition: `# [..., D]`
            times: `# [...]` 0..999
        """
        moment = self.condition(condition) + self.time(_time_embedding(times))
        hidden = functional.silu(self.noisy(noisy) + moment)
        return self.clean(hidden) + self.direct(condition)  # type: ignore[no-any-return]

    def sample(self, condition: Tensor, noise: Tensor, schedule: Tensor) -> Tensor:  # [B, Z]
        """A latent for each condition, by DDIM.

        Args:
            condition: `# [B, D]`
            noise: `# [B, Z]` standard normal
            schedule: `# [B, K, 5]` rows of `motion.ddim`
        """
        time, signal, spread, later_signal, later_spread = torch.split(schedule, 1, 2)
        moments = affine(self.time, _time_embedding(time[..., 0]))
        keep = later_spread / spread
        return denoise(
            noise,
            self.condition(condition)[:, None] + moments,
            keep,
            later_signal - signal * keep,
            self.noisy.weight,
            self.clean.weight,
            self.direct(condition) + self.clean.bias,
        )


class RegressionHead(nn.Module):
    """The ablation without diffusion: noise and time are not looked at."""

    def __init__(self, latent: int, condition: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(condition, condition)
        self.clean = nn.Linear(condition, latent)
        self.direct = nn.Linear(condition, latent, bias=False)

    def forward(self, noisy: Tensor, condition: Tensor, times: Tensor) -> Tensor:
        hidden = functional.silu(self.hidden(condition))
        return self.clean(hidden) + self.direct(condition)  # type: ignore[no-any-return]

    def sample(self, condition: Tensor, noise: Tensor, schedule: Tensor) -> Tensor:  # [B, Z]
        # Noise and schedule stay inputs of the graph: every export has the same ones.
        unused = 0 * (noise.sum(1, keepdim=True) + schedule.sum((1, 2))[:, None])
        return self(noise, condition, schedule[:, 0, 0]) + unused  # type: ignore[no-any-return]


def denoise(
    noise: Tensor,  # [B, Z]
    moments: Tensor,  # [B, K, D]
    keep: Tensor,  # [B, K, 1] of the latent
    gain: Tensor,  # [B, K, 1] of the clean one that the head sees in it
    noisy_weight: Tensor,  # [D, Z]
    clean_weight: Tensor,  # [Z, D]
    offset: Tensor,  # [B, Z]
) -> Tensor:  # [B, Z]
    """The loop over the steps; a function of its own because export compiles it as a loop."""
    latent = noise
    for k in range(moments.shape[1]):
        moment = moments.select(1, k)
        hidden = torch.nn.functional.silu(torch.nn.functional.linear(latent, noisy_weight) + moment)
        clean = torch.nn.functional.linear(hidden, clean_weight) + offset
        latent = keep.select(1, k) * latent + gain.select(1, k) * clean
    return latent


def _time_embedding(times: Tensor) -> Tensor:  # [...] -> [..., 64]
    half = _TIME_WIDTH // 2
    rates = torch.exp(torch.arange(half, device=times.device) * (-math.log(10_000.0) / half))
    angles = times[..., None].float() * rates
    return torch.cat([torch.sin(angles), torch.cos(angles)], -1)
