"""The one interface of speech encoders on the project's own, and features at frame rates."""

from __future__ import annotations

import numpy as np
import pytest

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.features import features_of
from lipstream.audio.speech_models import at_frame_rate, encode_recording, open_extractor
from lipstream.errors import BadInput
from tests.unit.motion.spoken import spoken


def test_the_own_encoder_is_the_default() -> None:
    samples = spoken().waveform
    extractor = open_extractor("own")
    expected = np.concatenate(list(features_of(SpeechEncoder(), [samples])))
    features = encode_recording(extractor, [samples])
    assert np.array_equal(features, expected)
    assert features.shape == (len(samples) // 320, extractor.feature_count)
    assert extractor.latency_ms == 0
    _, state = extractor.step(samples[:5_000], extractor.initial_state())
    resumed = extractor.decode_state(state.encode())
    one, other = (extractor.step(samples[5_000:], s)[0] for s in (state, resumed))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0])
def test_frames_are_taken_at_their_middle(fps: float) -> None:
    row_times_s = (np.arange(100) * 0.02 + 0.01)[:, None].astype(np.float32)
    frames = at_frame_rate(row_times_s, fps, int(2 * fps))
    middle_s = (np.arange(len(frames)) + 0.5) / fps
    inside = (middle_s > 0.01) & (middle_s < 1.99)
    assert np.allclose(frames[inside, 0], middle_s[inside], atol=1e-5)


def test_the_ends_are_held() -> None:
    features = np.array([[1.0], [2.0]], np.float32)
    assert at_frame_rate(features, 100.0, 10)[[0, -1], 0].tolist() == [1.0, 2.0]
    assert at_frame_rate(features[:1], 25.0, 3)[:, 0].tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(BadInput):
        at_frame_rate(features[:0], 25.0, 3)
