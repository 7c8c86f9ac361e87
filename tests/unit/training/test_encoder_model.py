"""The encoder network: streaming equals whole, it is causal, its parts delay as they say."""

from __future__ import annotations

import pytest
import torch

from lipstream.training.conformer import ConformerBlock
from lipstream.training.encoder_model import EncoderConfig, SpeechEncoderModel
from lipstream.training.streaming import StateCursor

_CONFIG = EncoderConfig(
    width=24, features=16, heads=2, inner=32, memory=6, past=4, ahead=(1, 0, 2), dropout=0
)


@pytest.fixture
def encoder() -> SpeechEncoderModel:
    torch.manual_seed(0)
    return SpeechEncoderModel(_CONFIG).eval()


@torch.no_grad()
def test_chunks_give_what_the_whole_gives(encoder: SpeechEncoderModel) -> None:
    mel = torch.randn(2, 120, 80) * 2 - 6
    whole, last = encoder(mel, encoder.initial_state(2))
    state = encoder.initial_state(2)
    parts = []
    for first, stop in ((0, 2), (2, 4), (4, 30), (30, 120)):
        features, state = encoder(mel[:, first:stop], state)
        parts.append(features)
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-4)
    assert torch.allclose(state, last, atol=1e-4)


@torch.no_grad()
def test_no_feature_hears_what_comes_later(encoder: SpeechEncoderModel) -> None:
    mel = torch.randn(1, 80, 80) * 2 - 6
    changed = mel.clone()
    changed[:, 40:] += 3
    before, _ = encoder(mel, encoder.initial_state(1))
    after, _ = encoder(changed, encoder.initial_state(1))
    assert torch.allclose(before[:, :20], after[:, :20], atol=1e-5)
    assert not torch.allclose(before[:, 20:], after[:, 20:], atol=1e-2)


@torch.no_grad()
def test_a_block_comes_as_late_as_it_looks_ahead() -> None:
    torch.manual_seed(1)
    block = ConformerBlock(16, heads=2, inner=16, memory=400, past=3, ahead=3, dropout=0.0).eval()
    x = torch.randn(1, 60, 16)
    state = torch.zeros(1, block.state_size)
    # Without attention, which sees another past there, both are one computation.
    torch.nn.init.zeros_(block.attention.out.weight)
    torch.nn.init.zeros_(block.attention.out.bias)
    streamed = block(x[0], 60, StateCursor(state))[None]
    assert torch.allclose(streamed[:, 3:], block.whole(x)[:, :-3], atol=1e-5)


@torch.no_grad()
def test_the_convolution_by_products_is_the_convolution() -> None:
    torch.manual_seed(2)
    block = ConformerBlock(16, heads=2, inner=16, memory=4, past=3, ahead=1, dropout=0.0)
    x, state = torch.randn(2 * 30, 16), torch.randn(2, block.state_size)
    by_convolution = block.train()(x, 30, StateCursor(state))
    by_products = block.eval()(x, 30, StateCursor(state))
    assert torch.allclose(by_products, by_convolution, atol=1e-5)


@torch.no_grad()
def test_the_stem_by_products_is_the_convolution(encoder: SpeechEncoderModel) -> None:
    mel, state = torch.randn(2, 12, 80), torch.randn(2, 80)
    windows = encoder._windows(mel, StateCursor(state))
    conv = encoder.stem.conv
    rows = torch.nn.functional.linear(windows.flatten(2), conv.weight.flatten(1), conv.bias)
    expected = encoder.stem(mel.transpose(1, 2), StateCursor(state)).transpose(1, 2)
    assert torch.allclose(rows, expected, atol=1e-5)
