from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from lipstream.audio import Resampler, resample
from lipstream.audio.pcm import Samples

RATES = [(44_100, 16_000), (48_000, 16_000), (8_000, 16_000), (11_025, 16_000), (22_050, 24_000)]


def band_limited(seconds: float, rate_hz: int, highest_hz: float) -> Samples:
    t = np.arange(math.ceil(seconds * rate_hz)) / rate_hz
    parts = [np.sin(2 * np.pi * f * t + f) for f in np.linspace(60, highest_hz, 20)]
    return np.asarray(0.05 * np.sum(parts, axis=0), np.float32)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_matches_the_signal_at_the_new_instants(from_hz: int, to_hz: int) -> None:
    highest_hz = 0.42 * min(from_hz, to_hz)
    result = resample(band_limited(1.0, from_hz, highest_hz), from_hz, to_hz)
    inner = slice(to_hz // 20, -to_hz // 20)
    np.testing.assert_allclose(
        result[inner], band_limited(1.0, to_hz, highest_hz)[inner], atol=5e-5
    )


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_agrees_with_scipy(from_hz: int, to_hz: int) -> None:
    audio = band_limited(1.0, from_hz, 0.42 * min(from_hz, to_hz))
    divisor = math.gcd(from_hz, to_hz)
    expected = resample_poly(audio.astype(np.float64), to_hz // divisor, from_hz // divisor)
    result = resample(audio, from_hz, to_hz)
    assert result.size == expected.size
    inner = slice(to_hz // 20, -to_hz // 20)
    np.testing.assert_allclose(result[inner], expected[inner], atol=2e-3)


def test_aliases_are_removed() -> None:
    t = np.arange(48_000) / 48_000
    above = np.sin(2 * np.pi * 8_800 * t).astype(np.float32)
    assert float(np.abs(resample(above, 48_000, 16_000)[500:-500]).max()) < 1e-4


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(0, 4_000),
    sizes=st.lists(st.integers(0, 900), max_size=20),
    rates=st.sampled_from([*RATES, (16_000, 16_000), (383_999, 16_000), (4_000, 48_000)]),
)
def test_length_is_exact_and_chunks_change_nothing(
    samples: int, sizes: list[int], rates: tuple[int, int]
) -> None:
    from_hz, to_hz = rates
    audio = np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    whole = resample(audio, from_hz, to_hz)
    assert whole.size == -(-samples * to_hz // from_hz)
    resampler, pieces, start = Resampler(from_hz, to_hz), [], 0
    for size in [*sizes, samples]:
        pieces.append(resampler.push(audio[start : start + size]))
        start += size
    pieces.append(resampler.flush())
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
