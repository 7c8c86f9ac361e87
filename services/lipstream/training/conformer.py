"""Conformer blocks (A. Gulati et al., 2020) that stream.

Attention looks back over a fixed number of steps; the convolution sees the past and, where a block
has `ahead`, that many steps of the future. A block with `ahead` gives its output that much later:
its step `j` is about step `j - ahead` of its input. Without positions: order reaches the attention
through the convolutions.

The same parameters also run on the whole of an utterance, unbounded (`whole`): as the recogniser
was trained from which the encoder starts.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from lipstream.training.streaming import StateCursor, affine

__all__ = ["ConformerBlock"]

_HIDDEN = -1e4


class FeedForward(nn.Module):
    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, inner)
        self.down = nn.Linear(inner, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:  # [..., W] -> [..., W]
        inner = self.dropout(functional.silu(affine(self.up, self.norm(x))))
        return self.dropout(affine(self.down, inner))  # type: ignore[no-any-return]


class PastAttention(nn.Module):
    """Attention to a step itself and the `memory` steps before it; keys and values are its state.

    Before the first step lie keys and values of zero, which take a share as silence would.
    """

    def __init__(self, width: int, heads: int, memory: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.memory = memory
        self.width = width
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.state_size = 2 * width * memory

    def forward(self, x: Tensor, steps: int, cursor: StateCursor) -> Tensor:  # rows [B T, W]
        query, fresh = self._projected(x)
        past = cursor.take(self.memory, 2 * self.width)
        known = torch.cat([past, fresh.reshape(-1, steps, 2 * self.width)], 1)  # [B, M + T, 2 W]
        cursor.put(known[:, -self.memory :])
        hidden = torch.full((steps, self.memory + steps), _HIDDEN, device=x.device)
        # A step reaches from `memory` steps before it to itself.
        beyond = hidden - hidden.triu().tril(self.memory)  # [T, M + T]
        return self._attended(query, known, steps, self.memory + steps, beyond)

    def whole(self, x: Tensor) -> Tensor:  # [B, T, W] -> [B, T, W]
        """Every step sees every other."""
        steps = x.shape[1]
        return self._attended(*self._projected(x), steps, steps, None).reshape(x.shape)

    def _projected(self, x: Tensor) -> tuple[Tensor, Tensor]:  # [..., W] and [..., 2 W]
        projected = affine(self.project, self.norm(x))
        query, fresh = projected.split_with_sizes([self.width, 2 * self.width], -1)
        return query, fresh

    def _attended(
        self,
        query: Tensor,  # [B T, W] or [B, T, W]
        known: Tensor,  # [B, P, 2 W]
        steps: int,
        places: int,
        beyond: Tensor | None,  # [T, P] added to scores
    ) -> Tensor:  # [B T, W]
        share = self.width // self.heads
        query = query.reshape(-1, steps, self.heads, share).transpose(1, 2)
        known = known.reshape(-1, places, 2 * self.heads, share).transpose(1, 2)
        keys, values = known.split_with_sizes([self.heads, self.heads], 1)  # each [B, H, P, W / H]
        scores = (query * share**-0.5) @ keys.transpose(2, 3)  # [B, H, T, P]
        if beyond is not None:
            scores = scores + beyond
        mixed = torch.softmax(scores, -1) @ values
        joined = mixed.transpose(1, 2).reshape(-1, self.width)
        return self.dropout(affine(self.out, joined))  # type: ignore[no-any-return]


class ShortConvolution(nn.Module):
    """Gated depthwise convolution over `past` steps, the step itself and `ahead` more."""

    def __init__(self, width: int, past: int, ahead: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.spread = nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, past + 1 + ahead, groups=width)
        self.mix = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.state_size = width * (past + ahead)
        self._width, self._past, self._ahead = width, past, ahead

    def forward(self, x: Tensor, steps: int, cursor: StateCursor) -> Tensor:  # rows [B T, W]
        reach = self._past + self._ahead
        gated = self._gated(x).reshape(-1, steps, self._width)
        known = torch.cat([cursor.take(reach, self._width), gated], 1)
        cursor.put(known[:, -reach:])
        return self._mixed(self._filtered(known, steps).reshape(-1, self._width))

    def whole(self, x: Tensor) -> Tensor:  # [B, T, W] -> [B, T, W]
        gated = functional.pad(self._gated(x), (0, 0, self._past, self._ahead))
        return self._mixed(self.depthwise(gated.transpose(1, 2)).transpose(1, 2))

    def _gated(self, x: Tensor) -> Tensor:  # [..., W] -> [..., W]
        return functional.glu(affine(self.spread, self.norm(x)), -1)

    def _filtered(self, known: Tensor, steps: int) -> Tensor:  # [B, P + T, W] -> [B, T, W]
        if self.training:
            return self.depthwise(known.transpose(1, 2)).transpose(1, 2)  # type: ignore[no-any-return]
        # The same by products: for a few steps of many streams a model server's depthwise
        # convolution takes ten times as long.
        taps = self.depthwise.weight[:, 0].T  # [K, W]
        first = torch.arange(steps, device=known.device)[:, None]
        window = first + torch.arange(len(taps), device=known.device)  # [T, K]
        bias = self.depthwise.bias
        assert bias is not None
        return (known[:, window] * taps).sum(2) + bias

    def _mixed(self, x: Tensor) -> Tensor:  # [..., W] -> [..., W]
        return self.dropout(affine(self.mix, functional.silu(x)))  # type: ignore[no-any-return]


class ConformerBlock(nn.Module):
    """Half a feed-forward, attention, convolution, half a feed-forward, normalisation.

    Args:
        ahead: steps by which the output comes later, and which the convolution sees of the future.
    """

    def __init__(
        self,
        width: int,
        *,
        heads: int,
        inner: int,
        memory: int,
        past: int,
        ahead: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.first = FeedForward(width, inner, dropout)
        self.attention = PastAttention(width, heads, memory, dropout)
        self.convolution = ShortConvolution(width, past, ahead, dropout)
        self.second = FeedForward(width, inner, dropout)
        self.norm = nn.LayerNorm(width)
        self._ahead, self._width = ahead, width
        self.state_size = self.attention.state_size + self.convolution.state_size + width * ahead

    def forward(self, x: Tensor, steps: int, cursor: StateCursor) -> Tensor:
        """Rows `# [B T, W]` of `steps` steps of each stream; the same of the output."""
        x = x + 0.5 * self.first(x)
        x = x + self.attention(x, steps, cursor)
        convolved = self.convolution(x, steps, cursor)
        x = self._delayed(x, steps, cursor) + convolved
        return self.norm(x + 0.5 * self.second(x))  # type: ignore[no-any-return]

    def whole(self, x: Tensor) -> Tensor:  # [B, T, W] -> [B, T, W]
        """All of an utterance at once, nothing later than it must be."""
        x = x + 0.5 * self.first(x)
        x = x + self.attention.whole(x)
        x = x + self.convolution.whole(x)
        return self.norm(x + 0.5 * self.second(x))  # type: ignore[no-any-return]

    def _delayed(self, x: Tensor, steps: int, cursor: StateCursor) -> Tensor:  # rows [B T, W]
        if not self._ahead:
            return x
        fresh = x.reshape(-1, steps, self._width)
        held = torch.cat([cursor.take(self._ahead, self._width), fresh], 1)
        cursor.put(held[:, -self._ahead :])
        return held[:, : -self._ahead].reshape(-1, self._width)
