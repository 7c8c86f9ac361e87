"""Which steps a sampler takes from noise to motion: DDIM with eta 0, 1 to 50 of the 1000.

Scaled-linear betas as in latent diffusion; the steps trail, so that even a single one begins at
pure noise (Lin et al. 2024).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.face.motion import Floats

__all__ = ["BETA_FIRST", "BETA_LAST", "LARGEST_STEPS", "STEPS", "ddim_schedule", "signal_shares"]

STEPS = 1000
BETA_FIRST, BETA_LAST = 0.00085, 0.012
LARGEST_STEPS = 50


def signal_shares() -> NDArray[np.float64]:  # [1000]
    """Share of the clean signal's power after each step of noise: the product of `1 - beta`."""
    betas = np.linspace(BETA_FIRST**0.5, BETA_LAST**0.5, STEPS) ** 2
    return np.asarray(np.cumprod(1 - betas))


def ddim_schedule(steps: int) -> Floats:  # [steps, 5]
    """One row a step: its time, then the amplitudes of signal and noise before it and after it.

    With `(t, a, b, c, d)` a step takes `z` to `c x + d (z - a x) / b`, where `x` is the clean
    latent that the network sees in `z` at time `t`. After the last step nothing is left of the
    noise.

    Raises:
        BadInput: so many steps are not offered.
    """
    if not 1 <= steps <= LARGEST_STEPS:
        raise BadInput(
            f"{steps} steps of diffusion are not offered.", remedy=f"Choose 1 to {LARGEST_STEPS}."
        )
    times = np.round(np.arange(steps, 0, -1) * STEPS / steps).astype(int) - 1
    before = signal_shares()[times]
    after = np.append(before[1:], 1.0)
    columns = (times, before**0.5, (1 - before) ** 0.5, after**0.5, (1 - after) ** 0.5)
    return np.asarray(np.stack(columns, axis=1), np.float32)
