"""Causal layers whose past is an argument: one definition trains, exports and streams.

A network's whole state is one flat tensor `# [B, S]`, the same on every model server and simple to
batch. Each layer owns a slice of it. Training starts every crop from the initial state.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "CausalConv",
    "GatedBlock",
    "StateCursor",
    "StreamingModule",
    "affine",
    "convolved",
    "through",
]


class StateCursor:
    """Hands out the slices of a flat state in order, and collects their successors.

    Args:
        state: `# [B, S]`
        first: where in it the slices begin.
    """

    def __init__(self, state: Tensor, first: int = 0) -> None:
        self._state = state
        self._position = first
        self._successors: list[Tensor] = []

    def take(self, rows: int, columns: int) -> Tensor:  # [B, rows, columns]
        width = rows * columns
        piece = self._state[:, self._position : self._position + width]
        self._position += width
        return piece.reshape(-1, rows, columns)

    def put(self, piece: Tensor) -> None:  # [B, rows, columns]
        self._successors.append(piece.flatten(1))

    def successor(self) -> Tensor:  # [B, S]
        return torch.cat(self._successors, 1)


def affine(layer: nn.Linear, x: Tensor) -> Tensor:  # [..., I] -> [..., O]
    """What the layer gives, written as a product and a sum.

    The exporter then lays all weights `# [I, O]`, whatever the rank of `x`; and of rows `# [N, I]`
    onnxruntime makes both one call, which it does not of sequences `# [B, T, I]`.
    """
    product = x @ layer.weight.T
    return product if layer.bias is None else product + layer.bias


def convolved(layer: nn.Conv1d, x: Tensor) -> Tensor:  # [B, C, T] -> [B, C', T']
    """What the layer gives; of a single step as a product of rows, which takes a third of the time
    in onnxruntime."""
    (kernel,), (spacing,) = layer.kernel_size, layer.dilation
    if layer.training or spacing > 1 or x.shape[2] != kernel:
        return layer(x)  # type: ignore[no-any-return]
    rows = functional.linear(x.flatten(1), layer.weight.flatten(1), layer.bias)
    return rows[:, :, None]


def through(layers: nn.Sequential, x: Tensor) -> Tensor:
    """What the layers give one after the other, the linear ones as `affine`."""
    for layer in layers:
        x = affine(layer, x) if isinstance(layer, nn.Linear) else layer(x)
    return x


class StreamingModule(nn.Module):
    """A network with a flat state."""

    state_size: int

    def initial_state(self, batch: int) -> Tensor:  # [B, S]
        return torch.zeros(batch, self.state_size)


class CausalConv(nn.Module):
    """Convolution over time that sees only the past; with a stride, inputs come in multiples."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        dilation: int = 1,
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, dilation=dilation, stride=stride)
        self.past = (kernel - 1) * dilation - (stride - 1)
        self.inputs = inputs

    @property
    def state_size(self) -> int:
        return self.inputs * self.past

    def forward(self, x: Tensor, cursor: StateCursor) -> Tensor:  # [B, C, T] -> [B, C', T / stride]
        x = torch.cat([cursor.take(self.inputs, self.past), x], 2)
        cursor.put(x[:, :, -self.past :])
        return convolved(self.conv, x)


class GatedBlock(nn.Module):
    """Residual block: dilated convolution, gated linear unit, pointwise mix."""

    def __init__(self, width: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.conv = CausalConv(width, 2 * width, kernel, dilation=dilation)
        self.dropout = nn.Dropout(dropout)
        self.mix = nn.Conv1d(width, width, 1)
        self.scale = nn.Parameter(torch.full((1, width, 1), 0.3))

    @property
    def state_size(self) -> int:
        return self.conv.state_size

    def forward(self, x: Tensor, cursor: StateCursor) -> Tensor:  # [B, C, T] -> [B, C, T]
        gated = functional.glu(self.conv(x, cursor), 1)
        return x + self.scale * self.mix(self.dropout(gated))  # type: ignore[no-any-return]
