"""Stage one: motion as a few codes a frame, and back.

The causal one decodes a frame from latents up to this frame, its past in a flat state like that of
every streaming network here.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from lipstream.training.streaming import CausalConv, StateCursor, StreamingModule, convolved
from lipstream.training.streaming_talker.config import Architecture, LatentConfig
from lipstream.training.streaming_talker.paper_vae import PaperDecoder, PaperEncoder
from lipstream.training.streaming_talker.quantiser import Quantiser

__all__ = ["MotionVae", "Reconstruction"]

_KERNEL = 3
_LAYERS = 2


@dataclass(frozen=True, slots=True)
class Reconstruction:
    motion: Tensor  # [B, T, M]
    loss: Tensor  # [] of the codebook


class MotionVae(nn.Module):
    """Encoder, codebook, decoder."""

    def __init__(self, config: LatentConfig) -> None:
        super().__init__()
        self.config = config
        causal = config.architecture is Architecture.CAUSAL
        self.encoder: nn.Module = CausalEncoder(config) if causal else PaperEncoder(config)
        self.decoder: nn.Module = CausalDecoder(config) if causal else PaperDecoder(config)
        self.quantiser = Quantiser(config)

    def encode(self, motion: Tensor) -> Tensor:  # [B, T, M] -> [B, T, Z]
        """Latents, not yet quantised."""
        return self.encoder(motion)  # type: ignore[no-any-return]

    def decode(self, latent: Tensor) -> Tensor:  # [B, T, Z] -> [B, T, M]
        """Motion of latents that begin with the clip."""
        return self.decoder(latent)  # type: ignore[no-any-return]

    def quantise(self, latent: Tensor) -> Tensor:  # [..., Z]
        return self.quantiser.quantise(latent)

    def forward(self, motion: Tensor) -> Reconstruction:  # [B, T, M]
        quantised = self.quantiser(self.encode(motion))
        return Reconstruction(self.decode(quantised.latent), quantised.loss)


class CausalEncoder(nn.Module):
    def __init__(self, config: LatentConfig) -> None:
        super().__init__()
        self.stack = _Stack(config.motion, config.width, config.hidden)

    def forward(self, motion: Tensor) -> Tensor:  # [B, T, M] -> [B, T, Z]
        return self.stack(motion, self.stack.initial_state(len(motion)).to(motion.device))[0]  # type: ignore[no-any-return]


class CausalDecoder(nn.Module):
    """Also decodes in chunks, with `step`."""

    def __init__(self, config: LatentConfig) -> None:
        super().__init__()
        self.stack = _Stack(config.width, config.motion, config.hidden)
        self.state_size = self.stack.state_size

    def forward(self, latent: Tensor) -> Tensor:  # [B, T, Z] -> [B, T, M]
        return self.stack(latent, self.stack.initial_state(len(latent)).to(latent.device))[0]  # type: ignore[no-any-return]

    def step(self, latent: Tensor, state: Tensor, first: int = 0) -> tuple[Tensor, Tensor]:
        """Motion `# [B, T, M]` of the next latents `# [B, T, Z]`, and the next state `# [B, S]`.

        Args:
            first: where in `state` its own begins.
        """
        motion, successor = self.stack(latent, state, first)
        return motion, successor


class _Stack(StreamingModule):
    def __init__(self, inputs: int, outputs: int, hidden: int) -> None:
        super().__init__()
        widths = [inputs] + [hidden] * _LAYERS
        self.layers = nn.ModuleList(
            CausalConv(before, after, _KERNEL) for before, after in itertools.pairwise(widths)
        )
        self.project = nn.Conv1d(hidden, outputs, 1)
        self.state_size = sum(layer.state_size for layer in self.layers)  # type: ignore[misc]

    def forward(self, x: Tensor, state: Tensor, first: int = 0) -> tuple[Tensor, Tensor]:
        """Rows `# [B, T, C']` of rows `# [B, T, C]`, and the next state."""
        cursor = StateCursor(state, first)
        x = x.transpose(1, 2)
        for layer in self.layers:
            x = functional.gelu(layer(x, cursor))
        return convolved(self.project, x).transpose(1, 2), cursor.successor()
