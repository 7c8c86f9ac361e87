"""Losses of the baseline: regression of the continuous controls, classification of the events."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lipstream.motion.controls import CONTROL_COUNT, EVENTS, Control
from lipstream.motion.phones import SILENCE, SYMBOL_INDEX

__all__ = ["LossConfig", "event_loss", "phone_loss", "regression_loss", "voice_loss"]

_CONTINUOUS = [control for control in Control if control not in EVENTS]


@dataclass(frozen=True, slots=True)
class LossConfig:
    jaw: float = 3.0
    lips: float = 2.0
    """Pucker, funnel, spread."""
    parting: float = 2.0
    """Upper lip up, lower lip down."""
    other: float = 0.7
    velocity: float = 0.5
    event: float = 0.25
    event_rarity: float = 2.0
    """Weight of an event's frames against the many without one."""
    phone: float = 0.08
    voice: float = 0.05
    saturation: float = 0.002
    """Keeps the learned features out of the flat parts of their squashing."""

    def weights(self) -> Tensor:  # [10]
        values = torch.full((CONTROL_COUNT,), self.other)
        values[Control.JAW] = self.jaw
        values[[Control.PUCKER, Control.FUNNEL, Control.SPREAD]] = self.lips
        values[[Control.UPPER_UP, Control.LOWER_DOWN]] = self.parting
        return values[_CONTINUOUS]


def regression_loss(predicted: Tensor, target: Tensor, config: LossConfig) -> Tensor:
    """Squared error of the continuous controls and of their velocity; both `# [B, T, 10]`."""
    error = predicted[..., _CONTINUOUS] - target[..., _CONTINUOUS]
    velocity = error[:, 1:] - error[:, :-1]
    weights = config.weights()
    return (error.square() * weights).mean() + config.velocity * (
        velocity.square() * weights
    ).mean()


def event_loss(logits: Tensor, target: Tensor, config: LossConfig) -> Tensor:
    """Cross-entropy of the events against their extent, rare ones weighted up."""
    events = list(EVENTS)
    rarity = torch.full((len(events),), config.event_rarity)
    return functional.binary_cross_entropy_with_logits(
        logits[..., events], target[..., events].clamp(0, 1), pos_weight=rarity
    )


def phone_loss(logits: Tensor, phones: Tensor) -> Tensor:
    """Cross-entropy of the phones; logits `# [B, T, 2 symbols]`, phones `# [B, 2 T]` at 50 Hz."""
    symbols = logits.shape[-1] // 2
    return functional.cross_entropy(
        logits.reshape(-1, symbols), phones.reshape(-1), label_smoothing=0.05
    )


def voice_loss(logits: Tensor, phones: Tensor) -> Tensor:
    """Is somebody speaking; both `# [B, T]` at 50 Hz."""
    speech = (phones != SYMBOL_INDEX[SILENCE]).float()
    return functional.binary_cross_entropy_with_logits(logits, speech)
