"""How somebody moves, as one vector: by identity, from a short clip of theirs, or neutral."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["StyleEmbedding"]


class StyleEmbedding(nn.Module):
    """All three are trained: identities and clips are dropped at random for the neutral style."""

    def __init__(self, subjects: int, latent: int, width: int) -> None:
        super().__init__()
        self.neutral = nn.Parameter(torch.zeros(width))
        self.subjects = nn.Embedding(subjects, width) if subjects else None
        self.clip = nn.Linear(2 * latent, width)

    def of_none(self, batch: int) -> Tensor:  # [B, D]
        return self.neutral.expand(batch, -1)

    def of_subject(self, subject: Tensor) -> Tensor:  # [B] -> [B, D]
        """
        Raises:
            ValueError: there are no identities in this network.
        """
        if self.subjects is None:
            raise ValueError("this network was built without identities")
        return self.neutral + self.subjects(subject)  # type: ignore[no-any-return]

    def of_clip(self, latents: Tensor) -> Tensor:  # [B, T, Z] -> [B, D]
        """From mean and spread of a clip's latents, which its words hardly change."""
        spread = latents.std(1, unbiased=False)
        return self.neutral + self.clip(torch.cat([latents.mean(1), spread], 1))  # type: ignore[no-any-return]
