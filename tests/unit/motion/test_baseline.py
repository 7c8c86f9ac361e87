"""The baseline generator on the weights of the repository."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.mel import log_mel
from lipstream.errors import BadInput
from lipstream.evaluation.contenders import from_labels, motion_of
from lipstream.evaluation.lip_track import LipTrack
from lipstream.evaluation.rest import rest_score
from lipstream.face.arkit import INDEX
from lipstream.face.motion import Floats, Motion
from lipstream.motion import BaselineGenerator, generate
from tests.unit.motion.spoken import SENTENCES, spoken

_FIELDS = ("blendshapes", "rotation", "translation", "gaze")
_TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def encoder() -> SpeechEncoder:
    return SpeechEncoder()


@pytest.fixture(scope="module")
def generator() -> BaselineGenerator:
    return BaselineGenerator()


def _features(encoder: SpeechEncoder, text: str = SENTENCES[0]) -> Floats:
    return encoder.encode(log_mel(spoken(text).waveform))


def _whole(generator: BaselineGenerator, features: Floats, seed: int = 0) -> Motion:
    return Motion.concatenate(generate(generator, [features], seed=seed))


def _difference(first: Motion, second: Motion) -> float:
    return max(
        float(np.abs(getattr(first, name) - getattr(second, name)).max()) for name in _FIELDS
    )


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 7, 64])
@pytest.mark.parametrize("look_ahead_ms", [40, 80, 160])
def test_chunks_equal_the_whole(encoder: SpeechEncoder, chunk: int, look_ahead_ms: int) -> None:
    generator = BaselineGenerator(look_ahead_ms=look_ahead_ms)
    features = _features(encoder)[:151]
    whole = _whole(generator, features)
    pieces = [features[k : k + chunk] for k in range(0, len(features), chunk)]
    chunked = Motion.concatenate(generate(generator, pieces))
    assert len(chunked) == len(whole) == 76
    assert _difference(chunked, whole) < _TOLERANCE


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9])
def test_every_40_ms_begun_give_a_frame(
    encoder: SpeechEncoder, generator: BaselineGenerator, count: int
) -> None:
    features = _features(encoder)[:count]
    assert len(_whole(generator, features)) == (count + 1) // 2


@pytest.mark.parametrize(("look_ahead_ms", "needed"), [(40, 2), (80, 4), (120, 6), (160, 8)])
def test_first_frame_comes_after_the_look_ahead(
    encoder: SpeechEncoder, look_ahead_ms: int, needed: int
) -> None:
    generator = BaselineGenerator(look_ahead_ms=look_ahead_ms)
    features = _features(encoder)
    state = generator.initial_state()
    motion, state = generator.step(features[: needed - 1], state)
    assert len(motion) == 0
    motion, _ = generator.step(features[needed - 1 : needed], state)
    assert len(motion) == 1


def test_sessions_in_turn_do_not_mix(encoder: SpeechEncoder, generator: BaselineGenerator) -> None:
    inputs = [_features(encoder, text)[:100] for text in SENTENCES[:2]]
    alone = [_whole(generator, features, seed=k) for k, features in enumerate(inputs)]
    states = [generator.initial_state(seed=k) for k in range(2)]
    parts: list[list[Motion]] = [[], []]
    for start in range(0, 100, 7):
        for k, features in enumerate(inputs):
            motion, states[k] = generator.step(features[start : start + 7], states[k])
            parts[k].append(motion)
    for k in range(2):
        in_turn = Motion.concatenate([*parts[k], generator.finish(states[k])])
        assert _difference(in_turn, alone[k]) < _TOLERANCE


def test_state_survives_as_bytes(encoder: SpeechEncoder, generator: BaselineGenerator) -> None:
    features = _features(encoder)
    _, state = generator.step(features[:61], generator.initial_state(seed=5))
    restored = generator.decode_state(state.encode())
    expected, after = generator.step(features[61:], state)
    got, restored = generator.step(features[61:], restored)
    assert _difference(expected, got) == 0
    assert _difference(generator.finish(after), generator.finish(restored)) == 0


def test_the_seed_decides_the_idle_face_alone(
    encoder: SpeechEncoder, generator: BaselineGenerator
) -> None:
    features = _features(encoder)
    first, again, other = (_whole(generator, features, seed=s) for s in (1, 1, 2))
    assert _difference(first, again) == 0
    assert np.abs(first.rotation - other.rotation).max() > 0.005
    jaw = INDEX["jawOpen"]
    assert np.array_equal(first.blendshapes[:, jaw], other.blendshapes[:, jaw])


@pytest.mark.parametrize("text", SENTENCES)
def test_synthesised_speech_moves_the_mouth_as_its_phones_do(
    encoder: SpeechEncoder, generator: BaselineGenerator, text: str
) -> None:
    utterance = spoken(text)
    shown = LipTrack.from_motion(motion_of(utterance.waveform, encoder, generator)).aperture
    derived = from_labels(utterance).aperture
    count = min(len(shown), len(derived))
    assert np.corrcoef(shown[:count], derived[:count])[0, 1] > 0.6
    assert shown.max() > 0.25


def test_lips_shut_on_most_bilabials_and_open_between(
    encoder: SpeechEncoder, generator: BaselineGenerator
) -> None:
    utterance = spoken(SENTENCES[0])
    shown = LipTrack.from_motion(motion_of(utterance.waveform, encoder, generator)).aperture
    bilabials = [s for s in utterance.segments if s.symbol in {"p", "b", "m"}]
    shut = [
        shown[max(int((s.start_s - 0.03) * 100), 0) : int((s.end_s + 0.03) * 100)].min() < 0.05
        for s in bilabials
    ]
    assert np.mean(shut) > 0.6


def _quiet(kind: str) -> Floats:
    rng = np.random.default_rng(0)
    count = 5 * 16_000
    times_s = np.arange(count) / 16_000
    sounds = {
        "silence": np.zeros(count),
        "hiss": 0.01 * rng.standard_normal(count),
        "loud noise": 0.2 * rng.standard_normal(count),
        "hum": 0.1 * np.sin(2 * np.pi * 100 * times_s),
        "offset": np.full(count, 0.3),
    }
    return np.asarray(sounds[kind], np.float32)


@pytest.mark.parametrize("kind", ["silence", "hiss", "loud noise", "hum", "offset"])
def test_the_mouth_rests_where_nobody_speaks(
    encoder: SpeechEncoder, generator: BaselineGenerator, kind: str
) -> None:
    rest = rest_score(motion_of(_quiet(kind), encoder, generator))
    assert rest.frames == 125
    assert rest.moving_share == 0
    assert rest.largest < 0.02


def test_the_mouth_comes_to_rest_after_speech(
    encoder: SpeechEncoder, generator: BaselineGenerator
) -> None:
    silence = np.zeros(32_000, np.float32)
    motion = motion_of(np.concatenate([spoken().waveform, silence]), encoder, generator)
    assert rest_score(motion[-30:]).largest == 0
    assert rest_score(motion[:40]).largest > 0.1


def test_motion_is_continuous(encoder: SpeechEncoder, generator: BaselineGenerator) -> None:
    motion = _whole(generator, _features(encoder), seed=3)
    for before, after in pairwise(np.degrees(motion.rotation)):
        assert np.abs(after - before).max() < 1.5


def test_features_that_are_not_numbers_do_not_spread(
    encoder: SpeechEncoder, generator: BaselineGenerator
) -> None:
    features = _features(encoder).copy()
    features[10:12] = np.nan
    assert len(_whole(generator, features)) > 0  # Motion refuses values that are not finite


def test_wrong_inputs_are_refused(generator: BaselineGenerator) -> None:
    with pytest.raises(BadInput, match="not offered"):
        BaselineGenerator(look_ahead_ms=90)
    with pytest.raises(BadInput, match="shape"):
        generator.step(np.zeros((4, 3), np.float32), generator.initial_state())
    with pytest.raises(BadInput, match="no saved state"):
        generator.decode_state(b"")
