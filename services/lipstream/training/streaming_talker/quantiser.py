"""The codebook: replaces every token by the nearest of its codes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from lipstream.training.streaming_talker.config import LatentConfig

__all__ = ["Quantised", "Quantiser"]

_FORGETS = 0.98


@dataclass(frozen=True, slots=True)
class Quantised:
    latent: Tensor  # [..., Z] of codes; its gradient is that of what was quantised
    indices: Tensor  # [..., H]
    loss: Tensor  # [] codebook loss and commitment (van den Oord et al. 2017, equation 3)


class Quantiser(nn.Module):
    """Codes that nothing uses are moved to where tokens are, or the codebook would collapse."""

    usage: Tensor  # [N] running count of tokens a batch

    def __init__(self, config: LatentConfig) -> None:
        super().__init__()
        self.config = config
        self.codes = nn.Parameter(0.3 * torch.randn(config.codes, config.token_width))
        self.register_buffer("usage", torch.ones(config.codes), persistent=False)

    def forward(self, latent: Tensor) -> Quantised:  # [..., Z]
        if not self.config.quantised:
            shape = (*latent.shape[:-1], self.config.tokens)
            none = torch.zeros(shape, dtype=torch.long, device=latent.device)
            return Quantised(latent, none, latent.new_zeros(()))
        tokens = latent.reshape(-1, self.config.token_width)
        indices = self.nearest(tokens)
        chosen = self.codes[indices]
        loss = functional.mse_loss(chosen, tokens.detach())
        loss = loss + self.config.commitment * functional.mse_loss(tokens, chosen.detach())
        if self.training:
            self._revive(tokens.detach(), indices)
        through = tokens + (chosen - tokens).detach()
        shape = (*latent.shape[:-1], self.config.tokens)
        return Quantised(through.reshape(latent.shape), indices.reshape(shape), loss)

    def quantise(self, latent: Tensor) -> Tensor:  # [B, Z] -> [B, Z]
        """The nearest codes; without loss and gradient, for generation and export."""
        if not self.config.quantised:
            return latent
        tokens = latent.reshape(-1, self.config.token_width)
        return self.codes[self.nearest(tokens)].reshape(latent.shape)

    def nearest(self, tokens: Tensor) -> Tensor:  # [M, C] -> [M]
        """Index of the code at the smallest distance; the token's own length does not matter."""
        return (self.codes.square().sum(1) - 2 * tokens @ self.codes.T).argmin(1)

    @torch.no_grad()
    def _revive(self, tokens: Tensor, indices: Tensor) -> None:
        counts = torch.bincount(indices, minlength=self.config.codes).float()
        self.usage.mul_(_FORGETS).add_(counts, alpha=1 - _FORGETS)
        unused = torch.nonzero(self.usage < 0.02)[:, 0]
        if len(unused):
            drawn = torch.randint(len(tokens), (len(unused),), device=tokens.device)
            self.codes[unused] = tokens[drawn].to(self.codes.dtype)
            self.usage[unused] = 1.0
