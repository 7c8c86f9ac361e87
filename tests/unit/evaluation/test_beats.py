"""Beats of voices and heads whose times are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.evaluation.beats import (
    SIGMA_S,
    BeatTally,
    audio_beats_s,
    closeness,
    motion_beats_s,
)
from lipstream.face.motion import Floats, Motion

Times = NDArray[np.float64]

_BEATS_S = np.array([0.7, 1.5, 2.1, 3.0, 3.8, 4.9, 5.6, 6.7, 7.4, 8.5])
_DURATION_S = 9.6


def _syllables() -> Floats:  # [S]
    times_s = np.arange(int(_DURATION_S * 16_000)) / 16_000
    envelope = sum(np.exp(-(((times_s - beat) / 0.07) ** 2)) for beat in _BEATS_S)
    return np.asarray(0.3 * envelope * np.sin(2 * np.pi * 300 * times_s), np.float32)


def _head(pauses_s: Times) -> Motion:
    """A head that turns on, and rests for a moment at these times."""
    rest = Motion.rest(int(_DURATION_S * 25))
    times_s = np.arange(len(rest)) / 25
    speed = 0.3 * (1 - sum(np.exp(-(((times_s - p) / 0.1) ** 2)) for p in pauses_s).clip(0, 1))
    rotation = rest.rotation.copy()
    rotation[:, 1] = np.cumsum(speed) / 25
    return replace(rest, rotation=rotation)


def test_beats_are_found_where_they_are() -> None:
    np.testing.assert_allclose(audio_beats_s(_syllables()), _BEATS_S, atol=0.02)
    np.testing.assert_allclose(motion_beats_s(_head(_BEATS_S)), _BEATS_S, atol=0.04)


def test_closeness_is_a_bell() -> None:
    beats = closeness(np.array([1.0, 1.0 + SIGMA_S, 1.5 - 2 * SIGMA_S, 9.0]), np.array([1.0, 1.5]))
    assert beats == pytest.approx([1, np.exp(-0.5), np.exp(-2), 0], abs=1e-9)
    assert closeness(np.array([1.0]), np.zeros(0)).tolist() == [0]


def test_a_head_in_time_stands_out_from_chance() -> None:
    in_time, late = BeatTally(), BeatTally()
    in_time.add(_syllables(), _head(_BEATS_S))
    late.add(_syllables(), _head(_BEATS_S + 0.2))
    assert in_time.score().consistency > 0.9
    assert in_time.score().chance < 0.6
    assert late.score().consistency == pytest.approx(np.exp(-2), abs=0.12)
    assert in_time.score().motion_beats_per_s == pytest.approx(10 / _DURATION_S, rel=0.01)
    assert in_time.score().audio_beats_per_s == pytest.approx(10 / _DURATION_S, rel=0.01)


def test_a_still_head_has_no_figure() -> None:
    tally = BeatTally()
    tally.add(_syllables(), Motion.rest(240))
    assert np.isnan(tally.score().consistency)
    assert tally.score().motion_beats_per_s == 0


@pytest.mark.parametrize("count", [0, 1, 100, 400])
def test_silence_and_snippets_have_no_beats(count: int) -> None:
    assert not len(audio_beats_s(np.zeros(count, np.float32)))
    assert not len(motion_beats_s(Motion.rest(min(count, 3))))
