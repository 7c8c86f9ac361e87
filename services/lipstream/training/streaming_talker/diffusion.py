"""The noise that training adds and sampling takes away again.

DDPM's forward process with a scaled-linear schedule (Ho et al. 2020; betas as in latent diffusion)
and deterministic DDIM steps (Song et al. 2021, equation 12 with eta 0) over any number of them.
The schedule knows no network; the network knows no schedule.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lipstream.motion.ddim import BETA_FIRST, BETA_LAST, STEPS, signal_shares

__all__ = ["NoiseSchedule"]


class NoiseSchedule:
    """`noisy = sqrt(share) * clean + sqrt(1 - share) * noise`, the share falling with time."""

    steps = STEPS
    first, last = BETA_FIRST, BETA_LAST

    def __init__(self) -> None:
        self._shares = torch.from_numpy(signal_shares().astype(np.float32))  # [1000]

    def share(self, times: Tensor) -> Tensor:  # [...] -> [...]
        """Share of the clean signal's power at each time 0..999."""
        return self._shares.to(times.device)[times]

    def noised(self, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:  # [..., Z]
        """
        Args:
            clean: `# [..., Z]`
            noise: `# [..., Z]`
            times: `# [...]` 0..999
        """
        share = self.share(times)[..., None]
        return share.sqrt() * clean + (1 - share).sqrt() * noise
