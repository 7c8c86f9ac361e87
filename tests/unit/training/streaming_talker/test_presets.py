"""The paper's configurations: their sizes, and that they train."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from lipstream.errors import BadInput
from lipstream.training.streaming_talker.config import PredictorConfig, TalkerConfig
from lipstream.training.streaming_talker.diffusion import NoiseSchedule
from lipstream.training.streaming_talker.losses import (
    Clip,
    TalkerLoss,
    generation_loss,
    reconstruction_loss,
)
from lipstream.training.streaming_talker.network import TalkerNetwork
from lipstream.training.streaming_talker.presets import PRESETS, preset

_PAPER_LOSS = TalkerLoss(latent=1.0, past_noise=0, past_dropped=0, own_past=0)


@pytest.mark.parametrize(
    ("name", "motion", "tokens", "token_width", "codes", "width", "history"),
    [
        ("vocaset", 15_069, 16, 64, 256, 768, 60),
        ("biwi", 70_110, 8, 128, 512, 1024, 120),
    ],
)
def test_sizes_are_the_papers(
    name: str, motion: int, tokens: int, token_width: int, codes: int, width: int, history: int
) -> None:
    config = preset(name)
    latent, predictor = config.latent, config.predictor
    assert (latent.motion, latent.tokens, latent.token_width) == (motion, tokens, token_width)
    assert (latent.codes, latent.hidden, latent.layers, latent.heads) == (codes, 1024, 6, 8)
    assert (predictor.width, predictor.heads, predictor.layers) == (width, 4, 2)
    assert predictor.history == history
    with torch.device("meta"):
        network = TalkerNetwork(config)
    assert network.vae.encode(torch.zeros(1, 4, motion, device="meta")).shape == (1, 4, 1024)
    assert network.decode(torch.zeros(1, 4, 1024, device="meta")).shape == (1, 4, motion)


@pytest.mark.parametrize(("name", "hidden"), [("vocaset", 1024), ("biwi", 128)])
def test_the_papers_presets_train_on_their_true_shapes(name: str, hidden: int) -> None:
    """All columns and codes, three frames; one of the six layers, BIWI's narrower, for time."""
    config = preset(name)
    config = replace(config, latent=replace(config.latent, layers=1, hidden=hidden))
    torch.manual_seed(0)
    network = TalkerNetwork(config)
    motion, audio = config.latent.motion, config.predictor.audio
    clip = Clip(0.01 * torch.randn(1, 3, motion), torch.randn(1, 3, audio), torch.tensor([2]))

    def autoencode() -> Tensor:
        return reconstruction_loss(network.vae, clip.motion, config.space, _PAPER_LOSS)

    assert _falls(network.vae, autoencode, 0.05)
    network.vae.requires_grad_(False)
    network.measure_latents([clip.motion])

    def generate() -> Tensor:
        torch.manual_seed(1)
        return generation_loss(network, clip, NoiseSchedule(), _PAPER_LOSS)

    assert _falls(network, generate, 0.03)


def _falls(network: nn.Module, loss: Callable[[], Tensor], rate: float) -> bool:
    """Does the loss fall in three steps?"""
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], rate)
    values = []
    for _ in range(3):
        value = loss()
        optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        values.append(float(value.detach()))
    return values[-1] < values[0]


def test_unknown_presets_are_refused() -> None:
    assert set(PRESETS) == {"arkit", "vocaset", "biwi"}
    with pytest.raises(BadInput, match="no preset deca"):
        preset("deca")


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(BadInput, match="shared by 5 heads"):
        PredictorConfig(audio=4, width=16, heads=5)
    with pytest.raises(BadInput, match="at least two frames"):
        TalkerConfig(PredictorConfig(audio=4, history=1))
