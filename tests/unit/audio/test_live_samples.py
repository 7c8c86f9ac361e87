from __future__ import annotations

import numpy as np
import pytest

from lipstream.audio import resample
from lipstream.audio.live_samples import LiveSamples, SavedSamples


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 47_999, 48_000])
def test_a_stream_that_is_saved_anywhere_goes_on_to_the_sample(rate_hz: int) -> None:
    rng = np.random.default_rng(rate_hz)
    samples = rng.normal(0, 0.2, rate_hz).astype(np.float32)
    stream = LiveSamples(rate_hz, SavedSamples.initial())
    pieces = []
    position = 0
    while position < samples.size:
        size = int(rng.integers(1, 1500))
        pieces.append(stream.push(samples[position : position + size]))
        position += size
        if rng.random() < 0.4:
            stream = LiveSamples(rate_hz, stream.save())
    pieces.append(stream.flush())
    np.testing.assert_array_equal(np.concatenate(pieces), resample(samples, rate_hz, 16_000))


def test_what_is_saved_does_not_grow_with_the_stream() -> None:
    stream = LiveSamples(48_000, SavedSamples.initial())
    for _ in range(50):
        stream.push(np.zeros(4800, np.float32))
    assert stream.save().history.size < 2000
