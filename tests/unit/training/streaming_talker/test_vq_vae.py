"""The autoencoder: its codes, their gradient, decoding in chunks."""

from __future__ import annotations

import pytest
import torch

from lipstream.training.streaming_talker.config import LatentConfig
from lipstream.training.streaming_talker.quantiser import Quantiser
from lipstream.training.streaming_talker.vq_vae import CausalDecoder, MotionVae

_CONFIG = LatentConfig(motion=10, tokens=2, token_width=3, codes=8, hidden=12)


@pytest.fixture
def quantiser() -> Quantiser:
    torch.manual_seed(0)
    return Quantiser(_CONFIG).eval()


def test_tokens_become_their_nearest_codes(quantiser: Quantiser) -> None:
    latent = torch.randn(4, 5, 6)
    result = quantiser(latent)
    distance = torch.cdist(latent.reshape(-1, 3), quantiser.codes)
    assert torch.equal(result.indices.flatten(), distance.argmin(1))
    assert torch.allclose(result.latent, quantiser.quantise(latent), atol=1e-6)


def test_gradients_go_straight_through(quantiser: Quantiser) -> None:
    latent = torch.randn(4, 6, requires_grad=True)
    weight = torch.randn(4, 6)
    (quantiser(latent).latent * weight).sum().backward()
    assert latent.grad is not None
    assert torch.allclose(latent.grad, weight)


def test_the_loss_draws_codes_and_tokens_together(quantiser: Quantiser) -> None:
    latent = torch.randn(4, 6, requires_grad=True)
    result = quantiser(latent)
    expected = (1 + _CONFIG.commitment) * (result.latent - latent).square().mean()
    assert torch.allclose(result.loss, expected)
    result.loss.backward()
    for tensor in (quantiser.codes, latent):
        assert tensor.grad is not None
        assert tensor.grad.abs().sum() > 0


def test_unused_codes_are_moved_to_where_tokens_are(quantiser: Quantiser) -> None:
    with torch.no_grad():
        quantiser.codes[4:] = 100.0
    quantiser.train()
    for _ in range(250):
        quantiser(torch.randn(64, 6))
    assert float(quantiser.codes.detach().abs().max()) < 10


def test_without_quantisation_latents_pass() -> None:
    quantiser = Quantiser(LatentConfig(tokens=2, token_width=3, quantised=False))
    latent = torch.randn(4, 6)
    assert torch.equal(quantiser(latent).latent, latent)
    assert torch.equal(quantiser.quantise(latent), latent)


def test_decoding_in_chunks_equals_the_whole() -> None:
    torch.manual_seed(0)
    vae = MotionVae(_CONFIG).eval()
    decoder = vae.decoder
    assert isinstance(decoder, CausalDecoder)
    latent = torch.randn(2, 11, 6)
    state = torch.zeros(2, decoder.state_size)
    parts = []
    for piece in torch.split(latent, [1, 4, 1, 5], 1):
        part, state = decoder.step(piece, state)
        parts.append(part)
    assert torch.allclose(torch.cat(parts, 1), vae.decode(latent), atol=1e-6)
