"""The speech encoder: log-mel at 100 Hz in, features at 50 Hz out, streaming.

Four Conformer blocks that start from a published phone recogniser (`hama_weights.py`) and learn to
do with the past and 80 ms of the future. A feature at step `j` depends on audio up to
`20 * (j + 1)` ms. Its first two channels have a fixed meaning, on which the gate of the mouth
relies; the others are learned:

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
from lipstream.training.conformer import ConformerBlock
from lipstream.training.streaming import CausalConv, StateCursor, StreamingModule, affine

__all__ = ["INPUT_SCALE", "EncoderConfig", "SpeechEncoderModel", "loud_share"]

INPUT_SCALE = 3.0
"""Of the normalised log-mel, in nepers of power: about its standard deviation in speech."""


def loud_share(mel: Tensor) -> Tensor:  # [..., T, 80] -> [..., T, 1]
    """How much each frame counts as louder than a noise floor, 0..1."""
    return torch.sigmoid((mel.mean(-1, keepdim=True) + 9.5) * 1.5)


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    width: int = 144
    features: int = 128
    heads: int = 4
    inner: int = 576
    memory: int = 25
    """Steps of 20 ms over which each block's attention looks back."""
    past: int = 15
    """Steps over which each block's convolution looks back."""
    ahead: tuple[int, ...] = (1, 1, 1, 1)
    """Of each block: steps of the future that its convolution sees."""
    dropout: float = 0.3
    block_dropout: float = 0.1
    memory_s: float = 20.0
    """Time constant of the running mean that takes the microphone's colour out."""
    prior_s: float = 1.0
    """Weight of the prior mean at the start, in seconds of speech."""
    prior_log_power: float = -6.5

    @property
    def delay(self) -> int:
        """Steps by which the learned channels come late."""
        return sum(self.ahead)


class SpeechEncoderModel(StreamingModule):
    """Normalisation by a running mean, a strided stem, Conformer blocks at 50 Hz."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.stem = CausalConv(BANDS, width, 3, stride=2)
        self.blocks = nn.ModuleList(
            ConformerBlock(
                width,
                heads=config.heads,
                inner=config.inner,
                memory=config.memory,
                past=config.past,
                ahead=ahead,
                dropout=config.block_dropout,
            )
            for ahead in config.ahead
        )
        self.dropout = nn.Dropout(config.dropout)
        self.project = nn.Linear(width, config.features - 2)
        self.voice = nn.Linear(width, 1)
        self.state_size = (
            BANDS + 1 + self.stem.state_size + sum(block.state_size for block in self.blocks)  # type: ignore[misc]
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
        hidden, successor = self.hidden(mel, state)
        return self.features(mel, hidden)[0], successor

    def hidden(self, mel: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Output of the last block `# [B, T / 2, W]`, step `j` about `j - delay`; next state."""
        cursor = StateCursor(state)
        windows = self._windows(self._normalised(mel, cursor), cursor)
        steps, width = windows.shape[1], self.config.width
        kernel, conv = self.stem.conv.weight.flatten(1), self.stem.conv
        # By a product of rows: onnxruntime's convolution of a few steps takes longer.
        rows = windows.reshape(-1, kernel.shape[1])
        rows = functional.gelu(functional.linear(rows, kernel, conv.bias))
        for block in self.blocks:
            rows = block(rows, steps, cursor)
        return rows.reshape(-1, steps, width), cursor.successor()

    def features(self, mel: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features, voice logits `# [B, T / 2]`, learned channels before squashing."""
        x = self.dropout(hidden)
        voice = affine(self.voice, x).float()  # [B, T / 2, 1]
        learned = affine(self.project, x).float()
        loudness = (torch.logsumexp(mel, 2) - math.log(BANDS) + 16) / 16  # [B, T]
        loudness = torch.maximum(loudness[:, 0::2], loudness[:, 1::2])[..., None]
        features = torch.cat([loudness, torch.sigmoid(voice), torch.tanh(learned)], 2)
        return features, voice[..., 0], learned

    def _windows(self, x: Tensor, cursor: StateCursor) -> Tensor:  # [B, T, 80] -> [B, T / 2, 80, 3]
        """What the stem sees at each of its steps."""
        known = torch.cat([cursor.take(1, BANDS), x], 1)
        cursor.put(known[:, -1:])
        return torch.stack([known[:, :-1:2], known[:, 1::2], known[:, 2::2]], 3)

    def _normalised(self, mel: Tensor, cursor: StateCursor) -> Tensor:  # [B, T, 80]
        """Mel less its running mean over what is louder than the noise floor.

        The mean forgets exponentially, so its sums stay bounded for hours. All steps at once:
        `sum_k<=t decay^(t-k) x_k` is a product with a triangular matrix, in double precision
        because its rounding would depend on where chunks begin.
        """
        decay = -1.0 / (100 * self.config.memory_s)
        distance = mel.double() - self.config.prior_log_power
        before = cursor.take(1, BANDS + 1).double()  # [B, 1, 81] sums and their weight
        loud = loud_share(mel.double())  # [B, T, 1]
        steps = torch.arange(mel.shape[1], device=mel.device).double()
        age = steps[:, None] - steps[None]  # [T, T]
        kernel = torch.exp(age * decay).tril()
        fading = torch.exp((steps + 1) * decay)[:, None]  # [T, 1]
        sums = kernel @ torch.cat([distance * loud, loud], 2) + fading * before  # [B, T, 81]
        cursor.put(sums[:, -1:].float())
        totals, weights = sums.split_with_sizes([BANDS, 1], 2)
        return ((distance - totals / weights) / INPUT_SCALE).float()
