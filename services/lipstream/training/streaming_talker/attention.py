"""What the predictor attends to: its own recent past, and the audio of the same frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lipstream.training.streaming import StateCursor, affine
from lipstream.training.streaming_talker.config import PredictorConfig

__all__ = ["DiagonalAttention", "HistoryAttention", "history_bias", "slopes"]

_HIDDEN = -1e9


def slopes(heads: int) -> Tensor:  # [heads]
    """How steeply each head forgets: 2^-8/n, 2^-16/n, ... (ALiBi, Press et al. 2022)."""
    return 2.0 ** (-8.0 * torch.arange(1, heads + 1) / heads)


def history_bias(config: PredictorConfig, count: int, known: Tensor) -> Tensor:
    """Added to attention: `# [B, heads, count, history - 1 + count]`.

    A frame sees itself and `history - 1` frames before it, as far as they exist; each period
    further away costs one slope more (FaceFormer, Fan et al. 2022, equation 5).

    Args:
        count: of new frames, which follow `history - 1` cached ones.
        known: how many of the cached frames there really are. `# [B, 1]`
    """
    past = config.history - 1
    keys = torch.arange(past + count, device=known.device)
    queries = past + torch.arange(count, device=known.device)
    age = queries[:, None] - keys[None]  # [count, past + count]
    bias = -slopes(config.heads).to(known.device)[:, None, None] * torch.div(
        age.clamp(min=0), config.period, rounding_mode="floor"
    )
    exists = keys[None, None] >= past - known[:, :, None]  # [B, 1, past + count]
    visible = (age >= 0) & (age < config.history) & exists
    return torch.where(visible[:, None], bias[None], torch.full_like(bias[None], _HIDDEN))


class HistoryAttention(nn.Module):
    """Causal self-attention over a fixed history, whose keys and values are the state."""

    def __init__(self, config: PredictorConfig) -> None:
        super().__init__()
        self.config = config
        self.memories = 1 if config.shared_memory else config.heads
        self.share = config.width // config.heads
        kept = self.memories * self.share
        self.project = nn.Linear(config.width, config.width + 2 * kept)
        self.join = nn.Linear(config.width, config.width)
        self.state_size = 2 * (config.history - 1) * kept

    def forward(self, x: Tensor, bias: Tensor, cursor: StateCursor) -> Tensor:
        """Rows `# [B T, D]` of rows of the same.

        Args:
            bias: of `history_bias`.
        """
        heads, (count, places) = self.config.heads, map(int, bias.shape[2:])
        kept = self.memories * self.share
        projected = affine(self.project, x)
        queries, keys, values = projected.split_with_sizes([heads * self.share, kept, kept], 1)
        # Heads that share a memory ask it together.
        queries = self._by_head(queries, count, heads).reshape(
            -1, self.memories, heads // self.memories * count, self.share
        )
        keys = self._extended(self._by_head(keys, count, self.memories), cursor)
        values = self._extended(self._by_head(values, count, self.memories), cursor)
        scores = (queries * self.share**-0.5) @ keys.transpose(2, 3)
        shares = torch.softmax(scores.reshape(-1, heads, count, places) + bias, 3)
        asked = shares.reshape(-1, self.memories, heads // self.memories * count, places)
        mixed = (asked @ values).reshape(-1, heads, count, self.share)
        joined = mixed if count == 1 else mixed.transpose(1, 2)
        return affine(self.join, joined.reshape(-1, self.config.width))

    def _by_head(self, rows: Tensor, count: int, heads: int) -> Tensor:
        """Of rows `# [B T, H E]`: `# [B, H, T, E]`."""
        if count == 1:
            return rows.reshape(-1, heads, 1, self.share)
        return rows.reshape(-1, count, heads, self.share).transpose(1, 2)

    def _extended(self, new: Tensor, cursor: StateCursor) -> Tensor:
        """The cache `# [B, memories, past, E]` with new rows behind it.

        The cache is kept memory by memory, so that a step need not rearrange it.
        """
        past = self.config.history - 1
        cache = cursor.take(self.memories * past, self.share)
        rows = torch.cat([cache.reshape(-1, self.memories, past, self.share), new], 2)
        cursor.put(rows[:, :, -past:])
        return rows


class DiagonalAttention(nn.Module):
    """Cross-attention in which a frame sees the audio of this frame alone.

    The softmax over a single key is one whatever the query, so only the projections of values
    remain of it; `masked` is the same written out, for comparison.
    """

    def __init__(self, config: PredictorConfig) -> None:
        super().__init__()
        self.config = config
        self.value = nn.Linear(config.width, config.width)
        self.join = nn.Linear(config.width, config.width)

    def forward(self, audio: Tensor) -> Tensor:  # [..., D]
        return affine(self.join, affine(self.value, audio))

    def masked(self, x: Tensor, audio: Tensor) -> Tensor:  # [B, T, D]
        """With scores of queries and keys, and the diagonal mask."""
        count = x.shape[1]
        scores = x @ audio.transpose(1, 2) * self.config.width**-0.5
        off = ~torch.eye(count, dtype=torch.bool, device=x.device)
        shares = torch.softmax(scores.masked_fill(off, _HIDDEN), 2)
        return self.join(shares @ self.value(audio))  # type: ignore[no-any-return]
