"""The autoregressive condition predictor: past latents and present audio in, a condition out.

A post-norm transformer decoder. One forward pass serves training (a clip from an empty past) and
generation (one frame, its past in the state), so both are the same computation.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from lipstream.training.streaming import StateCursor, StreamingModule, affine, through
from lipstream.training.streaming_talker.attention import (
    DiagonalAttention,
    HistoryAttention,
    history_bias,
)
from lipstream.training.streaming_talker.config import PredictorConfig

__all__ = ["ConditionPredictor"]


class _Layer(nn.Module):
    def __init__(self, config: PredictorConfig) -> None:
        super().__init__()
        width = config.width
        self.history = HistoryAttention(config) if config.self_attention else None
        self.audio = DiagonalAttention(config) if config.cross_attention else None
        self.widen = nn.Linear(width, config.feed_forward)
        self.narrow = nn.Linear(config.feed_forward, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.dropout = nn.Dropout(config.dropout)
        self.state_size = self.history.state_size if self.history else 0

    def forward(self, x: Tensor, audio: Tensor, bias: Tensor, cursor: StateCursor) -> Tensor:
        """Rows `# [B T, D]` of rows of the same; see `HistoryAttention.forward` for `bias`."""
        if self.history is not None:
            x = self.norms[0](x + self.dropout(self.history(x, bias, cursor)))
        if self.audio is not None:
            x = self.norms[1](x + self.dropout(self.audio(audio)))
        wide = self.dropout(functional.gelu(affine(self.widen, x)))
        forward = affine(self.narrow, wide)
        return self.norms[2](x + self.dropout(forward))  # type: ignore[no-any-return]


class ConditionPredictor(StreamingModule):
    """Its state begins with the count of frames in the cache."""

    def __init__(self, config: PredictorConfig, latent: int) -> None:
        super().__init__()
        self.config = config
        self.motion = nn.Linear(latent, config.width)
        self.hear = nn.Sequential(
            nn.Linear(config.audio, config.width),
            nn.GELU(),
            nn.Dropout(config.hearing_dropout),
            nn.Linear(config.width, config.width),
        )
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))
        self.state_size = 1 + sum(layer.state_size for layer in self.layers)  # type: ignore[misc]

    def forward(
        self,
        previous: Tensor,  # [B, T, Z]
        audio: Tensor,  # [B, T, A]
        style: Tensor,  # [B, D]
        state: Tensor,  # [B, S]
        first: int = 0,
    ) -> tuple[Tensor, Tensor]:
        """Conditions `# [B, T, D]` and the next state `# [B, S]`.

        Args:
            previous: the latent of the frame before each frame.
            audio: what each frame hears.
            style: added to every frame's input.
            state: of the frames before these.
            first: where in `state` its own begins.
        """
        config = self.config
        cursor = StateCursor(state, first)
        known = cursor.take(1, 1).reshape(-1, 1)  # [B, 1]
        count = int(previous.shape[1])  # a number: what is exported takes one frame
        cursor.put((known + count).clamp(max=config.history - 1))
        bias = history_bias(config, count, known)
        heard = through(self.hear, audio.reshape(-1, config.audio))
        styles = style if count == 1 else style.repeat_interleave(count, 0)  # [B T, D]
        x = affine(self.motion, previous.reshape(-1, self.motion.in_features)) + styles
        for layer in self.layers:
            x = layer(x, heard, bias, cursor)
        return x.reshape(-1, count, config.width), cursor.successor()
