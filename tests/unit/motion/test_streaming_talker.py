"""StreamingTalker on the weights of the repository."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.mel import log_mel
from lipstream.errors import BadInput, Internal
from lipstream.evaluation.contenders import from_labels, motion_of
from lipstream.evaluation.lip_track import LipTrack
from lipstream.evaluation.quiet_sounds import quiet_sounds
from lipstream.evaluation.rest import MOUTH_SHAPES, rest_score
from lipstream.face.motion import Floats, Motion
from lipstream.inference import ModelStore, OnnxModel, pack, unpack
from lipstream.motion import (
    GENERATORS,
    BaselineGenerator,
    MotionGenerator,
    Sampling,
    StreamingTalker,
    generate,
    open_generator,
)
from lipstream.motion.baseline import MOTION_MODEL
from lipstream.motion.streaming_talker import TALKER_MODEL
from lipstream.runtime.settings import Settings
from tests.unit.motion.spoken import SENTENCES, spoken

_FIELDS = ("blendshapes", "rotation", "translation", "gaze")
_TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def encoder() -> SpeechEncoder:
    return SpeechEncoder()


@pytest.fixture(scope="module")
def talker() -> StreamingTalker:
    return StreamingTalker()


@pytest.fixture(scope="module")
def features(encoder: SpeechEncoder) -> Floats:
    return _features(encoder)[:121]


def _features(encoder: SpeechEncoder, text: str = SENTENCES[0]) -> Floats:
    return encoder.encode(log_mel(spoken(text).waveform))


def _whole(talker: StreamingTalker, features: Floats, seed: int = 0) -> Motion:
    return Motion.concatenate(generate(talker, [features], seed=seed))


def _difference(first: Motion, second: Motion) -> float:
    assert len(first) == len(second)
    return max(
        float(np.abs(getattr(first, name) - getattr(second, name)).max(initial=0))
        for name in _FIELDS
    )


def _mouth(motion: Motion) -> Floats:
    return motion.blendshapes[:, MOUTH_SHAPES]


@pytest.mark.parametrize("chunk", [1, 3, 64])
@pytest.mark.parametrize("look_ahead_ms", [40, 80, 160])
def test_chunks_equal_the_whole(features: Floats, chunk: int, look_ahead_ms: int) -> None:
    talker = StreamingTalker(look_ahead_ms=look_ahead_ms)
    whole = _whole(talker, features)
    pieces = [features[k : k + chunk] for k in range(0, len(features), chunk)]
    assert len(whole) == 61
    assert _difference(Motion.concatenate(generate(talker, pieces)), whole) < _TOLERANCE


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9])
def test_every_40_ms_begun_give_a_frame(
    talker: StreamingTalker, features: Floats, count: int
) -> None:
    assert len(_whole(talker, features[:count])) == (count + 1) // 2


@pytest.mark.parametrize(("look_ahead_ms", "needed"), [(40, 2), (80, 4), (120, 6), (160, 8)])
def test_first_frame_comes_after_the_look_ahead(
    features: Floats, look_ahead_ms: int, needed: int
) -> None:
    talker = StreamingTalker(look_ahead_ms=look_ahead_ms)
    motion, state = talker.step(features[: needed - 1], talker.initial_state())
    assert len(motion) == 0
    motion, _ = talker.step(features[needed - 1 : needed], state)
    assert len(motion) == 1


def test_many_sessions_at_once_equal_each_alone(talker: StreamingTalker, features: Floats) -> None:
    """Of different length, begun at different times, each with its own seed."""
    inputs = [features[:80], features[20:50], features[:0], features[7:100]]
    begun = [talker.initial_state(seed) for seed in range(4)]
    begun[3] = talker.step(features[:7], begun[3])[1]
    together = talker.step_many(inputs, begun)
    for heard, state, (motion, after) in zip(inputs, begun, together, strict=True):
        alone, expected = talker.step(heard, state)
        assert _difference(motion, alone) < _TOLERANCE
        assert after.frame == expected.frame
        assert np.allclose(after.network, expected.network, atol=1e-3)


def test_state_survives_as_bytes(talker: StreamingTalker, features: Floats) -> None:
    _, state = talker.step(features[:61], talker.initial_state(seed=5))
    restored = talker.decode_state(state.encode())
    expected, after = talker.step(features[61:], state)
    got, restored = talker.step(features[61:], restored)
    assert _difference(expected, got) == 0
    assert _difference(talker.finish(after), talker.finish(restored)) == 0


def test_the_state_never_grows(talker: StreamingTalker, features: Floats) -> None:
    state = talker.initial_state()
    sizes = set()
    for _ in range(4):
        _, state = talker.step(features[:100], state)
        sizes.add(len(state.encode()))
    assert len(sizes) == 1


def test_seeds_decide_mouth_and_face(talker: StreamingTalker, features: Floats) -> None:
    first, again, other = (_whole(talker, features, seed=seed) for seed in (1, 1, 2))
    assert _difference(first, again) == 0
    assert np.abs(_mouth(first) - _mouth(other)).max() > 0.02


@pytest.mark.parametrize("steps", [1, 4, 50])
def test_steps_are_chosen_at_run_time(features: Floats, steps: int) -> None:
    motion = _whole(StreamingTalker(sampling=Sampling(steps=steps)), features)
    assert float(_mouth(motion).max()) > 0.15


def test_constant_noise_is_calmer_and_none_is_the_same_for_all(features: Floats) -> None:
    def trembling(sampling: Sampling) -> float:
        mouth = _mouth(_whole(StreamingTalker(sampling=sampling), features, seed=3))
        return float(np.abs(np.diff(mouth, 2, axis=0)).mean())

    assert trembling(Sampling(constant_noise=True, temperature=1)) < trembling(
        Sampling(constant_noise=False, temperature=1)
    )
    still = StreamingTalker(sampling=Sampling(temperature=0))
    first, second = (_mouth(_whole(still, features, seed=seed)) for seed in (1, 2))
    assert np.array_equal(first, second)


def test_noise_goes_on_for_hours(features: Floats) -> None:
    """A frame's noise is that of its number, so another stretch of it moves as much."""
    talker = StreamingTalker(sampling=Sampling(constant_noise=False))
    early = talker.initial_state(seed=4)
    late = replace(early, frame=90_000)
    first, second = (_mouth(talker.step(features, state)[0]) for state in (early, late))
    assert np.abs(first - second).max() > 0
    assert abs(float(first.mean() - second.mean())) < 0.02


@pytest.mark.parametrize("text", SENTENCES)
def test_synthesised_speech_moves_the_mouth_as_its_phones_do(
    encoder: SpeechEncoder, talker: StreamingTalker, text: str
) -> None:
    utterance = spoken(text)
    shown = LipTrack.from_motion(motion_of(utterance.waveform, encoder, talker)).aperture
    derived = from_labels(utterance).aperture
    count = min(len(shown), len(derived))
    assert np.corrcoef(shown[:count], derived[:count])[0, 1] > 0.6
    assert shown.max() > 0.2


@pytest.mark.parametrize("kind", ["silence", "white noise", "hum", "music"])
def test_the_mouth_rests_where_nobody_speaks(
    encoder: SpeechEncoder, talker: StreamingTalker, kind: str
) -> None:
    rest = rest_score(motion_of(quiet_sounds()[kind][:48_000], encoder, talker))
    assert rest.moving_share == 0


def test_heads_turn_gently(talker: StreamingTalker, features: Floats) -> None:
    motion = _whole(talker, features, seed=3)
    for before, after in pairwise(np.degrees(motion.rotation)):
        assert np.abs(after - before).max() < 1.5


def test_features_that_are_not_numbers_do_not_spread(
    talker: StreamingTalker, features: Floats
) -> None:
    broken = features.copy()
    broken[10:12] = np.nan
    motion = _whole(talker, broken)
    assert np.isfinite(motion.blendshapes).all()
    assert np.abs(_mouth(motion)[-5:] - _mouth(_whole(talker, features))[-5:]).max() < 0.5


def test_wrong_inputs_are_refused(talker: StreamingTalker) -> None:
    with pytest.raises(BadInput, match="not offered"):
        StreamingTalker(look_ahead_ms=90)
    with pytest.raises(BadInput, match="51 steps"):
        StreamingTalker(sampling=Sampling(steps=51))
    with pytest.raises(BadInput, match="temperature"):
        StreamingTalker(sampling=Sampling(temperature=2))
    with pytest.raises(BadInput, match="style"):
        StreamingTalker(style=np.zeros(3, np.float32))
    with pytest.raises(BadInput, match="shape"):
        talker.step(np.zeros((4, 3), np.float32), talker.initial_state())


class _Older(OnnxModel):
    """A network of before the tongue was an event."""

    def width(self, name: str) -> int:
        return super().width(name) - (name == "controls")


@pytest.mark.parametrize(
    ("generator", "name"), [(StreamingTalker, TALKER_MODEL), (BaselineGenerator, MOTION_MODEL)]
)
def test_networks_of_another_version_are_refused(
    generator: type[StreamingTalker | BaselineGenerator], name: str
) -> None:
    with pytest.raises(Internal, match="12 numbers a frame; 13"):
        generator(model=_Older(ModelStore.default().onnx_path(name)))


def test_foreign_states_are_refused(talker: StreamingTalker) -> None:
    state = talker.initial_state()
    arrays = unpack(state.encode())
    others = {
        "no saved state": b"",
        "not the state": BaselineGenerator().initial_state().encode(),
        "holds 3 values": pack({**arrays, "network": np.zeros(3, np.float32)}),
        "not finite": pack({**arrays, "network": np.full_like(arrays["network"], np.nan)}),
    }
    for message, data in others.items():
        with pytest.raises(BadInput, match=message):
            talker.decode_state(data)


def test_generators_are_opened_by_name() -> None:
    assert GENERATORS == ("baseline", "streaming_talker")
    for name in GENERATORS:
        assert open_generator(name, look_ahead_ms=120).look_ahead_ms == 120
        assert open_generator(f"{name}?look_ahead_ms=40", look_ahead_ms=120).look_ahead_ms == 40
    assert open_generator(Settings().generator).look_ahead_ms == 80


def test_options_of_a_generator_are_those_of_sampling(features: Floats) -> None:
    def mouth(generator: MotionGenerator[Any]) -> Floats:
        return Motion.concatenate(generate(generator, [features], seed=3)).blendshapes

    written = mouth(open_generator("streaming_talker?steps=1&noise=fresh&temperature=1"))
    made = StreamingTalker(sampling=Sampling(steps=1, constant_noise=False, temperature=1))
    np.testing.assert_array_equal(written, mouth(made))
    assert np.abs(written - mouth(open_generator())).max() > 0.05


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("puppet", "no motion generator 'puppet'"),
        ("baseline?steps=4", "baseline has no option 'steps'"),
        ("streaming_talker?pace=4", "StreamingTalker has no option 'pace'"),
        ("streaming_talker?steps=0", "0 steps of diffusion"),
        ("streaming_talker?steps=nan", "a number was expected"),
        ("streaming_talker?temperature=2", "between 0 and 1"),
        ("streaming_talker?noise=pink", "no noise 'pink'"),
        ("streaming_talker?look_ahead_ms=90", "look-ahead of 90 ms"),
    ],
)
def test_what_no_generator_offers_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        open_generator(text)
