"""Losses of the two stages, for controls and for vertices.

Controls are weighted one by one, and their events classified rather than regressed, as in the
baseline: a mean over controls loses the small ones, and a mean over outcomes half closes the lips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional

from lipstream.motion.controls import EVENTS, Control
from lipstream.motion.ddim import ddim_schedule
from lipstream.training.losses import LossConfig, event_loss, regression_loss
from lipstream.training.streaming_talker.config import Space
from lipstream.training.streaming_talker.diffusion import NoiseSchedule
from lipstream.training.streaming_talker.network import TalkerNetwork
from lipstream.training.streaming_talker.vq_vae import MotionVae

__all__ = ["Clip", "TalkerLoss", "generation_loss", "reconstruction_loss"]

_OWN_STEPS = 2
_CONTINUOUS = [control for control in Control if control not in EVENTS]


@dataclass(frozen=True, slots=True)
class TalkerLoss:
    latent: float = 0.1
    motion: float = 1.0
    velocity: float = 1.0
    """Of vertices; that of controls is weighted in `controls`."""
    late_times: bool = True
    """Times of diffusion drawn up to twice as often the later they are, when little of the motion
    is left to see: early ones can be solved without any audio."""
    audio_noise: float = 0.15
    """On the features, at most."""
    guess: float = 1.0
    """Of the motion read off the condition directly, which teaches the predictor to hear."""
    sharpness: float = 0.2
    """Of the absolute error of controls in stage one, which leaves no small errors behind."""
    past_noise: float = 1.5
    """Noise on the past, at most."""
    past_dropped: float = 0.4
    own_past: float = 0.7
    """Share of clips whose past is what the network itself made of it, as in generation."""
    neutral: float = 0.5
    """Share of clips that are told no style."""
    controls: LossConfig = field(default_factory=LossConfig)


@dataclass(frozen=True, slots=True)
class Clip:
    """A batch of clips."""

    motion: Tensor  # [B, T, M] controls, or offsets from the neutral face
    audio: Tensor  # [B, T, A]
    subject: Tensor | None = None  # [B]

    def cropped(self, start: int, frames: int) -> Clip:
        piece = slice(start, start + frames)
        return Clip(self.motion[:, piece], self.audio[:, piece], self.subject)

    def to(self, device: str) -> Clip:
        subject = None if self.subject is None else self.subject.to(device)
        return Clip(self.motion.to(device), self.audio.to(device), subject)

    @classmethod
    def joined(cls, clips: Sequence[Clip]) -> Clip:
        """One batch of clips of equal length, all with subjects or all without."""
        subjects = [clip.subject for clip in clips if clip.subject is not None]
        return cls(
            torch.cat([clip.motion for clip in clips]),
            torch.cat([clip.audio for clip in clips]),
            torch.cat(subjects) if subjects else None,
        )


def reconstruction_loss(
    vae: MotionVae, motion: Tensor, space: Space, config: TalkerLoss
) -> Tensor:  # []
    """Stage one: what the codes bring back of motion `# [B, T, M]`, and the codebook's loss."""
    result = vae(motion)
    if space is Space.RECORDED:
        return functional.l1_loss(result.motion, motion) + result.loss  # type: ignore[no-any-return]
    sharp = (result.motion - motion)[..., _CONTINUOUS].abs().mean()
    exact = regression_loss(result.motion, motion, config.controls)
    decided = event_loss(result.motion, motion, config.controls)
    return exact + config.sharpness * sharp + config.controls.event * decided + result.loss  # type: ignore[no-any-return]


def generation_loss(
    network: TalkerNetwork, clip: Clip, schedule: NoiseSchedule, config: TalkerLoss
) -> Tensor:  # []
    """Stage two: the clean latent that the head sees, and the motion that it decodes to."""
    network.vae.eval()  # it is fixed by now, its codes included
    with torch.no_grad():
        target = network.latents(clip.motion)
    style = _style(network, clip, target, config)
    clip = _noisy(clip, config)
    past = _past(network, clip, target, style.detach(), config)
    condition = network.condition(past, clip.audio, style)
    times = _times(schedule, target, late=config.late_times)
    noisy = schedule.noised(target, torch.randn_like(target), times)
    clean = network.head(noisy, condition, times).float()
    latent = functional.l1_loss(clean, target)
    # Half of the clips are decoded from codes, as in generation; gradients go straight through.
    coded = network.vae.quantiser(clean * network.scale).latent / network.scale
    through = torch.rand(len(clean), 1, 1, device=clean.device) < 0.5
    decoded = network.decode(torch.where(through, coded, clean))
    motion = network.with_events(decoded, clip.audio)
    if network.config.space is Space.RECORDED:
        moved, wanted = motion.diff(dim=1), clip.motion.diff(dim=1)
        error = config.motion * functional.mse_loss(motion, clip.motion)
        return latent + error + config.velocity * functional.mse_loss(moved, wanted)
    error = regression_loss(motion, clip.motion, config.controls)
    error = error + config.controls.event * event_loss(motion, clip.motion, config.controls)
    heard = network.guess(condition)
    error = error + config.guess * regression_loss(heard, clip.motion, config.controls)
    return config.latent * latent + config.motion * error


def _noisy(clip: Clip, config: TalkerLoss) -> Clip:
    amount = config.audio_noise * torch.rand(len(clip.audio), 1, 1, device=clip.audio.device)
    # What is zero is unknown or absent, and stays so.
    noise = torch.randn_like(clip.audio) * (clip.audio != 0) * (clip.audio != 1)
    return replace(clip, audio=clip.audio + amount * noise)


def _times(schedule: NoiseSchedule, target: Tensor, *, late: bool) -> Tensor:  # [B, T]
    chance = torch.rand(target.shape[:2], device=target.device)
    chance = chance.sqrt() if late else chance
    return (chance * schedule.steps).long().clamp(max=schedule.steps - 1)


def _past(
    network: TalkerNetwork, clip: Clip, target: Tensor, style: Tensor, config: TalkerLoss
) -> Tensor:  # [B, T, Z]
    """The latent before each frame, as faulty as generation will find it.

    On the true past alone the network learns to go on with it and hardly listens.
    """
    past = _spoilt(_shifted(network, target), config)
    if not config.own_past:
        return past
    with torch.no_grad():
        condition = network.condition(past, clip.audio, style)
        flat = condition.flatten(0, 1).float()
        rows = torch.from_numpy(ddim_schedule(_OWN_STEPS)).to(flat.device)
        schedule = rows.expand(len(flat), -1, -1)
        noise = torch.randn(len(flat), target.shape[2], device=flat.device)
        made = network.head.sample(flat, noise, schedule).float()
        made = network.vae.quantise(made * network.scale) / network.scale
    own = torch.rand(len(target), 1, 1, device=target.device) < config.own_past
    return torch.where(own, _shifted(network, made.reshape(target.shape)), past)


def _shifted(network: TalkerNetwork, latents: Tensor) -> Tensor:  # [B, T, Z]
    first = network.start.expand(len(latents), 1, -1)
    return torch.cat([first, latents[:, :-1]], 1)


def _spoilt(past: Tensor, config: TalkerLoss) -> Tensor:  # [B, T, Z]
    amount = torch.rand(len(past), 1, 1, device=past.device)
    past = past + config.past_noise * amount * torch.randn_like(past)
    kept = torch.rand_like(amount) > config.past_dropped
    seen = torch.rand_like(past[..., :1]) > config.past_dropped * amount
    return past * kept * seen


def _style(
    network: TalkerNetwork, clip: Clip, target: Tensor, config: TalkerLoss
) -> Tensor:  # [B, D]
    neutral = network.style.of_none(len(target))
    if clip.subject is not None and network.style.subjects is not None:
        known = network.style.of_subject(clip.subject)
    else:
        known = network.style.of_clip(target)
    told = torch.rand(len(target), 1, device=target.device) > config.neutral
    return torch.where(told, known, neutral)
