"""Losses of the two stages, for controls and for vertices.

Controls are weighted one by one, and their events classified rather than regressed, as in the
baseline: a mean over controls loses the small ones, and a mean over outcomes half closes the lips.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from lipstream.motion.controls import EVENTS, Control
from lipstream.training.losses import LossConfig, event_loss, regression_loss
from lipstream.training.streaming_talker.config import Space
from lipstream.training.streaming_talker.diffusion import NoiseSchedule
from lipstream.training.streaming_talker.network import TalkerNetwork
from lipstream.training.streaming_talker.vq_vae import MotionVae

__all__ = ["Clip", "TalkerLoss", "generation_loss", "reconstruction_loss"]

_CONTINUOUS = [control for control in Control if control not in EVENTS]


@dataclass(frozen=True, slots=True)
class TalkerLoss:
    latent: float = 0.1
    motion: float = 1.0
    velocity: float = 1.0
    """Of vertices; that of controls is weighted in `controls`."""
    sharpness: float = 0.2
    """Of the absolute error of controls in stage one, which leaves no small errors behind."""
    past_noise: float = 0.8
    """Noise on the true past, which generation does not have, at most."""
    past_dropped: float = 0.1
    neutral: float = 0.5
    """Share of clips that are told no style."""
    controls: LossConfig = field(default_factory=LossConfig)


@dataclass(frozen=True, slots=True)
class Clip:
    """A batch of clips."""

    motion: Tensor  # [B, T, M] controls, or offsets from the neutral face
    audio: Tensor  # [B, T, A]
    subject: Tensor | None = None  # [B]


def reconstruction_loss(
    vae: MotionVae, motion: Tensor, space: Space, config: TalkerLoss
) -> Tensor:  # []
    """Stage one: what the codes bring back of motion `# [B, T, M]`, and the codebook's loss."""
    result = vae(motion)
    if space is Space.VERTICES:
        return functional.l1_loss(result.motion, motion) + result.loss  # type: ignore[no-any-return]
    sharp = (result.motion - motion)[..., _CONTINUOUS].abs().mean()
    exact = regression_loss(result.motion, motion, config.controls)
    decided = event_loss(result.motion, motion, config.controls)
    return exact + config.sharpness * sharp + config.controls.event * decided + result.loss  # type: ignore[no-any-return]


def generation_loss(
    network: TalkerNetwork, clip: Clip, schedule: NoiseSchedule, config: TalkerLoss
) -> Tensor:  # []
    """Stage two: the clean latent that the head sees, and the motion that it decodes to."""
    with torch.no_grad():
        target = network.latents(clip.motion)
    style = _style(network, clip, target, config)
    condition = network.condition(_past(network, target, config), clip.audio, style)
    times = torch.randint(0, schedule.steps, target.shape[:2])
    noisy = schedule.noised(target, torch.randn_like(target), times)
    clean = network.head(noisy, condition, times).float()
    latent = functional.l1_loss(clean, target)
    motion = network.decode(clean)
    if network.config.space is Space.VERTICES:
        moved, wanted = motion.diff(dim=1), clip.motion.diff(dim=1)
        error = config.motion * functional.mse_loss(motion, clip.motion)
        return latent + error + config.velocity * functional.mse_loss(moved, wanted)
    error = regression_loss(motion, clip.motion, config.controls)
    error = error + config.controls.event * event_loss(motion, clip.motion, config.controls)
    return config.latent * latent + config.motion * error


def _past(network: TalkerNetwork, target: Tensor, config: TalkerLoss) -> Tensor:  # [B, T, Z]
    """The latent before each frame, spoilt: at generation the past is never the true one."""
    batch, count, width = target.shape
    first = network.start.expand(batch, 1, width)
    past = torch.cat([first, target[:, :-1]], 1)
    amount = torch.rand(batch, 1, 1)
    past = past + config.past_noise * amount * torch.randn_like(past)
    kept = torch.rand(batch, 1, 1) > config.past_dropped
    seen = torch.rand(batch, count, 1) > config.past_dropped * amount
    return past * kept * seen


def _style(
    network: TalkerNetwork, clip: Clip, target: Tensor, config: TalkerLoss
) -> Tensor:  # [B, D]
    neutral = network.style.of_none(len(target))
    if clip.subject is not None and network.style.subjects is not None:
        known = network.style.of_subject(clip.subject)
    else:
        known = network.style.of_clip(target)
    told = torch.rand(len(target), 1) > config.neutral
    return torch.where(told, known, neutral)
