"""The speech encoder: log-mel at 100 Hz in, features at 50 Hz out, causal.

A feature at step `j` depends on audio up to `20 * (j + 1)` ms. Its first two channels have a fixed
meaning, on which the gate of the mouth relies; the others are learned:

- 0: loudness, `(ln(mean mel power) + 16) / 16`, about 0 in digital silence and 1 in loud speech;
- 1: probability of speech, 0..1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from lipstream.audio.mel import BANDS
from lipstream.training.streaming import CausalConv, GatedBlock, StateCursor, StreamingModule

__all__ = ["EncoderConfig", "SpeechEncoderModel"]


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    width: int = 128
    features: int = 128
    kernel: int = 3
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4, 8)
    dropout: float = 0.3
    block_dropout: float = 0.1
    memory_s: float = 20.0
    """Time constant of the running mean that takes the microphone's colour out."""
    prior_s: float = 1.0
    """Weight of the prior mean at the start, in seconds of speech."""
    prior_log_power: float = -6.5


class SpeechEncoderModel(StreamingModule):
    """Normalisation by a running mean, a strided stem, gated dilated blocks at 50 Hz."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.stem = CausalConv(BANDS, width, 5)
        self.stride = CausalConv(width, width, 4, stride=2)
        self.blocks = nn.ModuleList(
            GatedBlock(width, config.kernel, dilation, config.block_dropout)
            for dilation in config.dilations
        )
        self.dropout = nn.Dropout(config.dropout)
        self.project = nn.Conv1d(width, config.features - 2, 1)
        self.voice = nn.Conv1d(width, 1, 1)
        self.state_size = (
            BANDS
            + 1
            + self.stem.state_size
            + self.stride.state_size
            + sum(block.state_size for block in self.blocks)  # type: ignore[misc]
        )

    def initial_state(self, batch: int) -> Tensor:  # [B, S]
        state = torch.zeros(batch, self.state_size)
        state[:, BANDS] = 100 * self.config.prior_s
        return state

    def forward(self, mel: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Features `# [B, T / 2, D]` and the next state `# [B, S]`.

        Args:
            mel: `# [B, T, 80]`, T even.
            state: `# [B, S]`
        """
        features, _, _, successor = self.encode(mel, state)
        return features, successor

    def encode(self, mel: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features, voice logits `# [B, T / 2]`, learned channels before squashing, next state."""
        cursor = StateCursor(state)
        x = self._normalised(mel, cursor).transpose(1, 2)
        x = functional.gelu(self.stem(x, cursor))
        x = functional.gelu(self.stride(x, cursor))
        for block in self.blocks:
            x = block(x, cursor)
        x = self.dropout(x)
        voice = self.voice(x).float()  # [B, 1, T / 2]
        learned = self.project(x).float()
        loudness = (torch.logsumexp(mel, 2) - math.log(BANDS) + 16) / 16  # [B, T]
        loudness = torch.maximum(loudness[:, 0::2], loudness[:, 1::2])[:, None]
        features = torch.cat([loudness, torch.sigmoid(voice), torch.tanh(learned)], 1)
        return features.transpose(1, 2), voice[:, 0], learned, cursor.successor()

    def _normalised(self, mel: Tensor, cursor: StateCursor) -> Tensor:  # [B, T, 80]
        """Mel less its running mean over what is louder than the noise floor.

        The mean forgets exponentially, so its sums stay bounded for hours. All steps at once:
        `sum_k<=t decay^(t-k) x_k` is a product with a triangular matrix, in double precision
        because its rounding would depend on where chunks begin.
        """
        decay = -1.0 / (100 * self.config.memory_s)
        distance = mel.double() - self.config.prior_log_power
        total = cursor.take(BANDS, 1).transpose(1, 2).double()  # [B, 1, 80]
        weight = cursor.take(1, 1).double()  # [B, 1, 1]
        loud = torch.sigmoid((mel.double().mean(2, keepdim=True) + 9.5) * 1.5)  # [B, T, 1]
        steps = torch.arange(mel.shape[1], device=mel.device).double()
        age = steps[:, None] - steps[None]  # [T, T]
        kernel = torch.exp(age.clamp(min=0) * decay) * (age >= 0).double()
        fading = torch.exp((steps + 1) * decay)[None, :, None]  # [1, T, 1]
        totals = kernel @ (distance * loud) + fading * total
        weights = kernel @ loud + fading * weight
        cursor.put(totals[:, -1:].float())
        cursor.put(weights[:, -1:].float())
        return ((distance - totals / weights) / 3).float()
