"""Models on the real tritonserver: the same answers, and joined calls."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lipstream.audio.encoder import ENCODER_MODEL, SpeechEncoder
from lipstream.audio.mel import log_mel
from lipstream.errors import Internal
from lipstream.face.motion import Floats, Motion
from lipstream.inference import ModelStore, OnnxModel, TritonModel
from lipstream.motion import BaselineGenerator, generate
from lipstream.motion.baseline import MOTION_MODEL
from tests.integration.triton.triton_process import TritonProcess

_TOLERANCE = 1e-5
_SESSIONS = 16
_RATE_HZ = 16_000


def _local(name: str) -> OnnxModel:
    return OnnxModel(ModelStore.bundled().onnx_path(name))


def _mel(seed: int, seconds: float = 2.0) -> Floats:  # [T, 80]
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * _RATE_HZ)) / _RATE_HZ
    voice = np.sign(np.sin(2 * np.pi * (90 + 20 * seed) * t)) * (1 + np.sin(2 * np.pi * 3 * t))
    return log_mel((0.1 * voice + 0.01 * rng.standard_normal(len(t))).astype(np.float32))


def _pieces(values: Floats, length: int) -> list[Floats]:
    return [values[first : first + length] for first in range(0, len(values), length)]


def _same(first: Motion, second: Motion) -> bool:
    fields = ("blendshapes", "rotation", "translation", "gaze")
    return all(
        np.allclose(getattr(first, name), getattr(second, name), rtol=0, atol=_TOLERANCE)
        for name in fields
    )


def test_the_server_gives_what_this_process_gives(
    triton: TritonProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPSTREAM_MODELS", triton.url)
    remote, local = SpeechEncoder(), SpeechEncoder(_local(ENCODER_MODEL))
    assert remote.feature_count == local.feature_count
    mel = _mel(0)
    features = np.concatenate(list(remote.encode_chunks(_pieces(mel, 7))))
    np.testing.assert_allclose(features, local.encode(mel), rtol=0, atol=_TOLERANCE)
    motion = Motion.concatenate(generate(BaselineGenerator(), _pieces(features, 3), seed=4))
    expected = Motion.concatenate(
        generate(BaselineGenerator(model=_local(MOTION_MODEL)), [features], seed=4)
    )
    assert len(motion) == len(expected) == 50
    assert _same(motion, expected)


@pytest.mark.parametrize(
    ("name", "constants"),
    [(ENCODER_MODEL, ["initial_state"]), (MOTION_MODEL, ["initial_state", "look_aheads_ms"])],
)
def test_constants_come_with_the_configuration(
    triton: TritonProcess, name: str, constants: list[str]
) -> None:
    remote, local = TritonModel(triton.address, name), _local(name)
    for constant in constants:
        np.testing.assert_array_equal(remote.constant(constant), local.constant(constant))
    with pytest.raises(Internal, match="lacks the constant nothing"):
        remote.constant("nothing")


def test_sessions_are_joined_and_stay_apart(triton: TritonProcess) -> None:
    encoder = SpeechEncoder(TritonModel(triton.address, ENCODER_MODEL))
    generator = BaselineGenerator(model=TritonModel(triton.address, MOTION_MODEL))
    together = threading.Barrier(_SESSIONS)

    def session(number: int) -> tuple[Floats, Motion]:
        state, motion_state = encoder.initial_state(), generator.initial_state(number)
        features, motion = [], []
        # Every fourth one sends pieces of another length, which cannot share a tensor.
        pieces = _pieces(_mel(number), 4 if number % 4 else 8)
        together.wait()
        for piece in pieces:
            heard, state = encoder.step(piece[None], state)
            frames, motion_state = generator.step(heard[0], motion_state)
            features.append(heard[0])
            motion.append(frames)
        return np.concatenate(features), Motion.concatenate(motion)

    before = triton.counts(ENCODER_MODEL)
    with ThreadPoolExecutor(_SESSIONS) as pool:
        results = list(pool.map(session, range(_SESSIONS)))
    requests, executions = (
        now - past for now, past in zip(triton.counts(ENCODER_MODEL), before, strict=True)
    )
    assert requests == 12 * 50 + 4 * 25
    assert executions < 0.8 * requests
    alone_encoder = SpeechEncoder(_local(ENCODER_MODEL))
    alone = BaselineGenerator(model=_local(MOTION_MODEL))
    for number, (features, motion) in enumerate(results):
        expected = alone_encoder.encode(_mel(number))
        np.testing.assert_allclose(features, expected, rtol=0, atol=_TOLERANCE)
        frames, _ = alone.step(expected, alone.initial_state(number))
        assert _same(motion, frames)


def test_a_batch_over_the_largest_is_cut(triton: TritonProcess) -> None:
    remote, local = TritonModel(triton.address, MOTION_MODEL), _local(MOTION_MODEL)
    rng = np.random.default_rng(1)
    inputs = {
        name: rng.normal(size=(70, *length, local.width(name))).astype(np.float32)
        for name, length in (("features", (4,)), ("state", ()))
    }
    got = remote.run(inputs)
    for output, values in local.run(inputs).items():
        np.testing.assert_allclose(got[output], values, rtol=0, atol=_TOLERANCE)
