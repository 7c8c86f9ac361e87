"""The measure of sound against picture, on curves whose delay is known."""

from __future__ import annotations

import numpy as np
import pytest

from loadtests.lip_sync import offset_ms

_FILM_S = np.arange(100) / 25
_RNG = np.random.default_rng(0)
_FILM = np.convolve(_RNG.standard_normal(104), np.hanning(5), "valid").astype(np.float32)


@pytest.mark.parametrize("late_ms", [-60, 0, 20, 130])
def test_a_delay_is_found_at_any_phase_of_the_frames(late_ms: int) -> None:
    times_s = np.arange(0.013, 3.5, 0.04)
    curve = 3 * np.interp(times_s - late_ms / 1e3, _FILM_S, _FILM) + 100
    found = offset_ms(times_s, curve.astype(np.float32), _FILM_S, _FILM)
    assert found == pytest.approx(late_ms, abs=4)


def test_a_mouth_that_says_something_else_has_none() -> None:
    times_s = np.arange(0.013, 3.5, 0.04)
    other = _RNG.standard_normal(len(times_s)).astype(np.float32)
    assert offset_ms(times_s, other, _FILM_S, _FILM) is None
    assert offset_ms(times_s[:1], other[:1], _FILM_S, _FILM) is None
