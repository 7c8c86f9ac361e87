"""The baseline's network: features at 50 Hz in, ten articulatory controls at 25 fps out.

It answers for several look-aheads at once. The output of step `k`, which has heard features
`0 .. 2 k + 1`, is frame `k - delay` of each look-ahead, where 40 ms of look-ahead are a delay of 0
frames, 80 ms of 1, and so on.

Events (lips together, lip under teeth, tongue at them) are classified, not regressed: under squared
error a network that is unsure half closes the lips, which reads as neither. The rest is regressed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from lipstream.motion.controls import CONTROL_COUNT, EVENTS
from lipstream.motion.phones import SYMBOLS
from lipstream.training.streaming import CausalConv, GatedBlock, StateCursor, StreamingModule

__all__ = ["LOOK_AHEADS_MS", "MotionConfig", "MotionModel"]

LOOK_AHEADS_MS: tuple[int, ...] = (40, 80, 120, 160)


@dataclass(frozen=True, slots=True)
class MotionConfig:
    features: int = 128
    width: int = 96
    kernel: int = 3
    dilations: tuple[int, ...] = (1, 2, 4)
    dropout: float = 0.3
    block_dropout: float = 0.1


class MotionModel(StreamingModule):
    """A strided convolution to 25 Hz, gated blocks, one small head for each look-ahead."""

    events: Tensor  # [10] which controls are events
    event_bias: Tensor  # [4, 10] calibration of the events: probability = sigmoid(logit + bias)
    gain: Tensor  # [4, 10] calibration of the rest: squared error shrinks what is uncertain

    def __init__(self, config: MotionConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.stride = CausalConv(config.features, width, 4, stride=2)
        self.blocks = nn.ModuleList(
            GatedBlock(width, config.kernel, dilation, config.block_dropout)
            for dilation in config.dilations
        )
        self.dropout = nn.Dropout(config.dropout)
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Conv1d(width, width, 1), nn.GELU(), nn.Conv1d(width, CONTROL_COUNT, 1))
            for _ in LOOK_AHEADS_MS
        )
        # Only training listens to this one: naming the phones teaches to hear them.
        self.phones = nn.Conv1d(width, 2 * len(SYMBOLS), 1)
        self.state_size = self.stride.state_size + sum(
            block.state_size  # type: ignore[misc]
            for block in self.blocks
        )
        events = torch.zeros(CONTROL_COUNT, dtype=torch.bool)
        events[list(EVENTS)] = True
        self.register_buffer("events", events, persistent=False)
        self.register_buffer("event_bias", torch.zeros(len(LOOK_AHEADS_MS), CONTROL_COUNT))
        self.register_buffer("gain", torch.ones(len(LOOK_AHEADS_MS), CONTROL_COUNT))

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Output `# [B, T / 2, 4 look-aheads, 13]` and the next state.

        Controls, events as probabilities; then the events of the frame after, of which the next
        shorter look-ahead tells, and the shortest nothing.

        Args:
            features: `# [B, T, D]`, T even.
            state: `# [B, S]`
        """
        raw, _, successor = self.predict(features, state)
        chances = torch.sigmoid(raw + self.event_bias)
        controls = torch.where(self.events, chances, (raw * self.gain).clamp(0, 1))
        events = list(EVENTS)
        sooner = torch.sigmoid(raw[:, :, :-1, events] + self.event_bias[1:, events])
        coming = torch.cat([torch.zeros_like(sooner[:, :, :1]), sooner], 2)
        return torch.cat([controls, coming], 3), successor

    def predict(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Raw outputs (events as logits), phone logits `# [B, T / 2, 2 symbols]`, next state."""
        cursor = StateCursor(state)
        x = functional.gelu(self.stride(features.transpose(1, 2), cursor))
        for block in self.blocks:
            x = block(x, cursor)
        x = self.dropout(x)
        raw = torch.stack([head(x).transpose(1, 2) for head in self.heads], 2).float()
        return raw, self.phones(x).transpose(1, 2).float(), cursor.successor()
