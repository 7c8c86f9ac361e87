"""Who may attend to what, and how strongly; the cache against the whole."""

from __future__ import annotations

import pytest
import torch

from lipstream.training.streaming import StateCursor
from lipstream.training.streaming_talker.attention import (
    DiagonalAttention,
    HistoryAttention,
    history_bias,
    slopes,
)
from lipstream.training.streaming_talker.config import PredictorConfig
from lipstream.training.streaming_talker.predictor import ConditionPredictor

_CONFIG = PredictorConfig(
    audio=5, width=8, heads=4, feed_forward=12, history=6, period=2, dropout=0.0
)
_LATENT = 3


@pytest.fixture
def predictor() -> ConditionPredictor:
    torch.manual_seed(0)
    return ConditionPredictor(_CONFIG, _LATENT).eval()


def _inputs(frames: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(2, frames, _LATENT), torch.randn(2, frames, 5), torch.randn(2, 8)


def test_slopes_halve_by_powers() -> None:
    assert torch.allclose(slopes(4), torch.tensor([2.0**-2, 2.0**-4, 2.0**-6, 2.0**-8]))


def test_bias_steps_down_by_periods() -> None:
    bias = history_bias(_CONFIG, 1, torch.tensor([[5.0]]))
    ages = torch.tensor([5, 4, 3, 2, 1, 0])
    expected = -slopes(4)[:, None] * (ages // 2)
    assert torch.allclose(bias[0, :, 0], expected)


def test_bias_hides_the_future_the_far_past_and_what_never_was() -> None:
    visible = history_bias(_CONFIG, 8, torch.tensor([[0.0], [2.0]]))[:, 0] > -1e8
    for row, known in enumerate((0, 2)):
        for query in range(8):
            seen = {int(k) - 5 for k in torch.nonzero(visible[row, query])[:, 0]}
            assert seen == set(range(max(query - 5, -known), query + 1))


def test_diagonal_attention_is_attention_under_a_diagonal_mask() -> None:
    torch.manual_seed(0)
    attention = DiagonalAttention(_CONFIG)
    x, audio = torch.randn(2, 9, 8), torch.randn(2, 9, 8)
    assert torch.allclose(attention(audio), attention.masked(x, audio), atol=1e-6)


def test_an_impulse_of_audio_touches_its_own_frame_alone() -> None:
    torch.manual_seed(0)
    attention = DiagonalAttention(_CONFIG)
    audio = torch.randn(1, 9, 8)
    struck = audio.clone()
    struck[0, 4] += 1.0
    changed = (attention(struck) - attention(audio)).abs().amax(2)[0] > 1e-7
    assert changed.nonzero()[:, 0].tolist() == [4]


def test_conditions_are_causal(predictor: ConditionPredictor) -> None:
    previous, audio, style = _inputs(12)
    struck = audio.clone()
    struck[:, 7] += 1.0
    empty = predictor.initial_state(2)
    before, _ = predictor(previous, audio, style, empty)
    after, _ = predictor(previous, struck, style, empty)
    changed = (before - after).abs().amax((0, 2)) > 1e-6
    assert not changed[:7].any()
    assert changed[7]


def test_history_ends(predictor: ConditionPredictor) -> None:
    """Two layers of a history of six frames reach ten frames back, and no further."""
    previous, audio, style = _inputs(24)
    struck = previous.clone()
    struck[:, 3] += 1.0
    empty = predictor.initial_state(2)
    before, _ = predictor(previous, audio, style, empty)
    after, _ = predictor(struck, audio, style, empty)
    changed = (before - after).abs().amax((0, 2)) > 1e-6
    assert changed.nonzero()[:, 0].tolist() == list(range(3, 14))


@pytest.mark.parametrize("pieces", [(1,) * 20, (7, 1, 12), (20,)])
def test_the_cache_equals_a_full_recomputation(
    predictor: ConditionPredictor, pieces: tuple[int, ...]
) -> None:
    previous, audio, style = _inputs(20)
    whole, end = predictor(previous, audio, style, predictor.initial_state(2))
    state, first, parts = predictor.initial_state(2), 0, []
    for count in pieces:
        span = slice(first, first + count)
        part, state = predictor(previous[:, span], audio[:, span], style, state)
        parts.append(part)
        first += count
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-6)
    assert torch.allclose(state, end, atol=1e-6)


def test_the_cache_never_grows() -> None:
    torch.manual_seed(0)
    attention = HistoryAttention(_CONFIG)
    state = torch.zeros(1, attention.state_size)
    for known in range(20):
        cursor = StateCursor(state)
        bias = history_bias(_CONFIG, 1, torch.tensor([[float(min(known, 5))]]))
        attention(torch.randn(1, 8), bias, cursor)
        state = cursor.successor()
        assert state.shape == (1, attention.state_size)
