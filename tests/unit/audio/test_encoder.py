"""The speech encoder on the weights of the repository."""

from __future__ import annotations

import numpy as np
import pytest

from lipstream.audio.encoder import (
    LOUDNESS_CHANNEL,
    SPEECH_CHANNEL,
    EncoderState,
    Features,
    SpeechEncoder,
)
from lipstream.audio.mel import BANDS, log_mel
from lipstream.errors import BadInput
from tests.unit.motion.spoken import SENTENCES, spoken

_TOLERANCE = 5e-5
"""Float32 rounding through 25 layers; features lie in -1..1."""


@pytest.fixture(scope="module")
def encoder() -> SpeechEncoder:
    return SpeechEncoder()


@pytest.mark.parametrize("chunk", [1, 3, 4, 7, 40, 401])
def test_chunks_equal_the_whole(encoder: SpeechEncoder, chunk: int) -> None:
    mel = log_mel(spoken().waveform)
    whole = encoder.encode(mel)
    assert len(whole) == len(mel) // 2
    pieces = [mel[k : k + chunk] for k in range(0, len(mel), chunk)]
    chunked = np.concatenate(list(encoder.encode_chunks(pieces)))
    assert chunked.shape == whole.shape
    assert np.abs(chunked - whole).max() < _TOLERANCE


def test_features_are_causal(encoder: SpeechEncoder) -> None:
    mel = log_mel(spoken().waveform)[:200]
    changed = mel.copy()
    changed[120:] = -5
    difference = np.abs(encoder.encode(mel) - encoder.encode(changed)).max(axis=1)
    assert difference[:60].max() < _TOLERANCE
    assert difference[60:].max() > 0.1


def test_sessions_in_turn_and_in_a_batch_do_not_mix(encoder: SpeechEncoder) -> None:
    first, second = (log_mel(spoken(text).waveform)[:240] for text in SENTENCES[:2])
    alone = [encoder.encode(mel) for mel in (first, second)]
    states = [encoder.initial_state(), encoder.initial_state()]
    in_turn: list[list[Features]] = [[], []]
    for start in range(0, 240, 5):
        for k, mel in enumerate((first, second)):
            features, states[k] = encoder.step(mel[None, start : start + 5], states[k])
            in_turn[k].append(features[0])
    joined = EncoderState.join([encoder.initial_state(), encoder.initial_state()])
    batch, joined = encoder.step(np.stack([first, second]), joined)
    for k in range(2):
        assert np.abs(np.concatenate(in_turn[k]) - alone[k]).max() < _TOLERANCE
        assert np.abs(batch[k] - alone[k]).max() < _TOLERANCE
    assert len(joined.split()) == 2


def test_state_survives_as_bytes(encoder: SpeechEncoder) -> None:
    mel = log_mel(spoken().waveform)[:151]
    _, state = encoder.step(mel[None, :75], encoder.initial_state())
    restored = EncoderState.decode(state.encode())
    expected, _ = encoder.step(mel[None, 75:], state)
    got, _ = encoder.step(mel[None, 75:], restored)
    assert np.array_equal(expected, got)


def test_first_channels_mean_loudness_and_speech(encoder: SpeechEncoder) -> None:
    samples = np.concatenate([np.zeros(16_000, np.float32), spoken().waveform])
    features = encoder.encode(log_mel(samples))
    assert features[10:45, LOUDNESS_CHANNEL].max() < 0.05
    assert features[10:45, SPEECH_CHANNEL].max() < 0.2
    assert features[60:200, LOUDNESS_CHANNEL].max() > 0.7
    assert np.median(features[60:200, SPEECH_CHANNEL]) > 0.8


def test_values_that_are_not_numbers_do_not_spread(encoder: SpeechEncoder) -> None:
    mel = log_mel(spoken().waveform)[:100].copy()
    mel[20] = np.nan
    mel[40] = np.inf
    assert np.isfinite(encoder.encode(mel)).all()


def test_hours_do_not_wear_the_state_out(encoder: SpeechEncoder) -> None:
    mel = np.tile(log_mel(spoken().waveform)[:400], (1, 1))[None]
    state = encoder.initial_state()
    sizes = []
    for _ in range(60):  # four minutes; the running mean forgets within one
        features, state = encoder.step(mel, state)
        sizes.append(float(np.abs(state.network).max()))
    again, _ = encoder.step(mel, state)
    assert np.abs(again - features).max() < 1e-3
    assert sizes[-1] == pytest.approx(sizes[30], rel=0.01)


def test_no_frames_give_no_features(encoder: SpeechEncoder) -> None:
    assert encoder.encode(np.zeros((0, BANDS), np.float32)).shape == (0, encoder.feature_count)
    features, state = encoder.step(np.zeros((1, 1, BANDS), np.float32), encoder.initial_state())
    assert features.shape[1] == 0
    assert state.pending.shape[1] == 1


def test_wrong_shapes_and_states_are_refused(encoder: SpeechEncoder) -> None:
    with pytest.raises(BadInput, match="shape"):
        encoder.step(np.zeros((1, 4, 79), np.float32), encoder.initial_state())
    with pytest.raises(BadInput, match="no saved state"):
        EncoderState.decode(b"nonsense")
    state = encoder.initial_state()
    with pytest.raises(BadInput, match="encoder state holds"):
        encoder.step(
            np.zeros((1, 4, BANDS), np.float32), EncoderState(state.network[:, 1:], state.pending)
        )
