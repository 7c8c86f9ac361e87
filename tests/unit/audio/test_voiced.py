"""Loudness and the probability of speech before the features of a pretrained encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lipstream.audio import SAMPLE_RATE_HZ, Samples, resample, synthesize
from lipstream.audio.encoder import LOUDNESS_CHANNEL, SPEECH_CHANNEL
from lipstream.audio.speech_models import (
    FeatureExtractor,
    OwnExtractor,
    VoicedExtractor,
    encode_recording,
    open_extractor,
    open_voiced_extractor,
)
from lipstream.errors import BadInput
from tests.unit.audio.tiny_speech_models import WIDTH, save_model

pytest.importorskip("transformers")

_WINDOWS = ("left_s=1&chunk_ms=80&look_ahead_ms=120", "left_s=0&chunk_ms=20&look_ahead_ms=0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model("hubert", tmp_path_factory.mktemp("models") / "hubert")


@pytest.fixture(scope="module", params=_WINDOWS)
def choice(request: pytest.FixtureRequest, folder: Path) -> str:
    return f"hubert:{folder}?{request.param}&device=cpu"


@pytest.fixture(scope="module")
def speech() -> Samples:
    spoken = synthesize("A map.")
    return resample(spoken.samples, spoken.rate_hz, SAMPLE_RATE_HZ)


def test_the_two_channels_are_those_of_the_own_encoder(choice: str, speech: Samples) -> None:
    voiced = open_voiced_extractor(choice)
    own = encode_recording(OwnExtractor(), [speech])
    theirs = encode_recording(open_extractor(choice), [speech])
    features = encode_recording(voiced, [speech])
    assert features.shape == (len(speech) // 320, WIDTH + 2)
    assert voiced.feature_count == WIDTH + 2
    shared = min(len(own), len(features))
    assert shared >= len(features) - 1
    for place, channel in enumerate((LOUDNESS_CHANNEL, SPEECH_CHANNEL)):
        assert np.abs(features[:shared, place] - own[:shared, channel]).max() < 1e-4
    np.testing.assert_allclose(features[:, 2:], theirs, atol=2e-4)
    assert features[:, 1].max() > 0.5


@pytest.mark.parametrize("size", [160, 1_001, 5_000])
def test_chunks_equal_the_whole(choice: str, speech: Samples, size: int) -> None:
    voiced = open_voiced_extractor(choice)
    pieces = [speech[k : k + size] for k in range(0, len(speech), size)]
    chunked = encode_recording(voiced, pieces)
    assert np.abs(chunked - encode_recording(voiced, [speech])).max() < 3e-4


def test_a_stream_goes_on_from_bytes(choice: str, speech: Samples) -> None:
    voiced = open_voiced_extractor(choice)
    first, state = voiced.step(speech[:5_555], voiced.initial_state())
    rest, state = voiced.step(speech[5_555:], voiced.decode_state(state.encode()))
    features = np.concatenate([first, rest, voiced.finish(state)])
    assert np.abs(features - encode_recording(voiced, [speech])).max() < 3e-4


def test_rows_wait_no_longer_than_they_say(choice: str) -> None:
    voiced = open_voiced_extractor(choice)
    needed = 320 + round(voiced.latency_ms * 16)
    samples = np.zeros(needed, np.float32)
    features, state = voiced.step(samples[:-1], voiced.initial_state())
    assert len(features) == 0
    features, _ = voiced.step(samples[-1:], state)
    assert len(features) > 0


def test_the_own_encoder_stays_alone() -> None:
    assert isinstance(open_voiced_extractor("own"), OwnExtractor)


def test_identities_tell_encoders_apart(folder: Path, tmp_path: Path) -> None:
    other = save_model("hubert", tmp_path / "other", num_attention_heads=4)
    weights = (other / "model.safetensors").read_bytes()
    (other / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))

    def opened(path: Path, options: str = "") -> FeatureExtractor[Any]:
        return open_voiced_extractor(f"hubert:{path}?device=cpu{options}")

    known = opened(folder).identity
    assert (known.kind, known.width) == ("hubert", WIDTH + 2)
    assert opened(folder, "&left_s=1").identity == known
    for another in (opened(folder, "&layer=1"), opened(other), open_voiced_extractor("own")):
        with pytest.raises(BadInput, match="was trained on features of"):
            known.require(another.identity)


def test_foreign_states_are_refused(choice: str) -> None:
    voiced = open_voiced_extractor(choice)
    assert isinstance(voiced, VoicedExtractor)
    for data in (b"", OwnExtractor().initial_state().encode()):
        with pytest.raises(BadInput):
            voiced.decode_state(data)
