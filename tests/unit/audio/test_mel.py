from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lipstream.audio import MelState, log_mel, log_mel_chunk
from lipstream.audio.mel import mel_filters
from lipstream.audio.pcm import Samples
from lipstream.errors import BadInput


def speechlike(seconds: float, seed: int = 0) -> Samples:
    """A buzz with a moving pitch, pauses and noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(16_000 * seconds)) / 16_000
    phase = np.cumsum(120 + 40 * np.sin(2 * np.pi * 0.7 * t)) / 16_000
    buzz = sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 30))
    loud = np.clip(np.sin(2 * np.pi * 1.3 * t), 0, 1)
    audio = 0.2 * loud * buzz + 1e-3 * rng.standard_normal(t.size)
    return np.asarray(audio, np.float32)


def by_definition(audio: Samples, frame: int) -> NDArray[np.float64]:
    """One frame from the formulas: a discrete Fourier sum and one triangle after another."""
    windowed = np.zeros(400)
    for n in range(400):
        position = 160 * (frame + 1) - 400 + n
        if position >= 0:
            windowed[n] = float(audio[position]) * (0.5 - 0.5 * math.cos(2 * math.pi * n / 400))
    bins = np.arange(257)
    turns = np.outer(bins, np.arange(400)) / 512
    power = np.abs((np.exp(-2j * np.pi * turns) * windowed).sum(axis=1)) ** 2
    top, bottom = (2595 * math.log10(1 + f / 700) for f in (7600, 20))
    hz = [700 * (10 ** ((bottom + (top - bottom) * i / 81) / 2595) - 1) for i in range(82)]
    bands = np.zeros(80)
    for band in range(80):
        weights = np.zeros(257)
        for k in bins:
            f = k * 16_000 / 512
            rising = (f - hz[band]) / (hz[band + 1] - hz[band])
            falling = (hz[band + 2] - f) / (hz[band + 2] - hz[band + 1])
            weights[k] = max(0.0, min(rising, falling))
        total = weights.sum() or 1.0
        bands[band] = math.log(float(power @ weights) / total + 1e-7)
    return bands


def test_matches_the_definition() -> None:
    audio = speechlike(1.0)
    features = log_mel(audio)
    for frame in (0, 1, 2, 40, 99):
        np.testing.assert_allclose(features[frame], by_definition(audio, frame), atol=2e-5)


def test_filters_cover_the_band_and_sum_to_one() -> None:
    filters = mel_filters()
    assert filters.shape == (80, 257)
    sums = filters.sum(axis=1)
    assert np.all(np.isclose(sums, 1.0) | (sums == 0.0))
    peaks_hz = filters.argmax(axis=1)[10:] * 16_000 / 512
    assert np.all(np.diff(peaks_hz) > 0)
    assert not filters[:, 245:].any()  # nothing above 7.6 kHz


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (159, 0), (160, 1), (16_000, 100)])
def test_frames_are_counted_by_whole_hops(samples: int, frames: int) -> None:
    assert log_mel(np.zeros(samples, np.float32)).shape == (frames, 80)


def test_silence_is_the_floor() -> None:
    np.testing.assert_allclose(log_mel(np.zeros(1600, np.float32)), math.log(1e-7), rtol=1e-6)


def test_a_frame_hears_nothing_after_its_end() -> None:
    audio = speechlike(0.5)
    changed = audio.copy()
    changed[160 * 20 :] = 0.9
    np.testing.assert_array_equal(log_mel(audio)[:20], log_mel(changed)[:20])
    assert not np.allclose(log_mel(audio)[20], log_mel(changed)[20])


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(0, 3000), max_size=25), seed=st.integers(0, 5))
def test_chunks_give_the_bits_of_the_whole(sizes: list[int], seed: int) -> None:
    audio = speechlike(2.0, seed)
    state, pieces, start = MelState.initial(), [], 0
    for size in [*sizes, audio.size]:
        features, state = log_mel_chunk(audio[start : start + size], state)
        state = MelState.decode(state.encode())
        pieces.append(features)
        start += size
    np.testing.assert_array_equal(np.concatenate(pieces), log_mel(audio))


def test_long_audio_in_blocks_equals_short_chunks() -> None:
    audio = speechlike(12.0)
    state, pieces = MelState.initial(), []
    for start in range(0, audio.size, 320):
        features, state = log_mel_chunk(audio[start : start + 320], state)
        pieces.append(features)
    np.testing.assert_array_equal(np.concatenate(pieces), log_mel(audio))


@pytest.mark.parametrize("data", [b"", b"abc", b"\0" * 4 * 400, b"\0" * 4 * 239])
def test_a_foreign_state_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        MelState.decode(data)


def test_stereo_is_refused() -> None:
    with pytest.raises(BadInput, match="mono"):
        log_mel(np.zeros((2, 16_000), np.float32))
