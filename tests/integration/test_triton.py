"""Models on the real tritonserver: the same answers, joined calls, and faults."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lipstream.audio.encoder import ENCODER_MODEL, SpeechEncoder
from lipstream.audio.mel import log_mel
from lipstream.errors import Internal, NotFound, Unavailable
from lipstream.face.motion import Floats, Motion
from lipstream.inference import ModelStore, OnnxModel
from lipstream.inference.triton_health import TritonHealth
from lipstream.inference.triton_model import TritonModel
from lipstream.inference.triton_server import find_triton
from lipstream.motion import BaselineGenerator, generate
from lipstream.motion.baseline import MOTION_MODEL
from lipstream.runtime.local_stack import free_ports
from tests.integration.triton_process import TritonProcess

_TOLERANCE = 1e-5
_SESSIONS = 16
_RATE_HZ = 16_000


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonProcess]:
    try:
        find_triton()
    except Unavailable as error:
        pytest.skip(str(error))
    server = TritonProcess(ModelStore.bundled().root, tmp_path_factory.mktemp("triton"))
    server.start()
    yield server
    server.stop()


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
    name = MOTION_MODEL
    rng = np.random.default_rng(1)
    inputs = {
        "features": rng.normal(size=(70, 4, 128)).astype(np.float32),
        "state": rng.normal(size=(70, 1600)).astype(np.float32),
    }
    remote, local = TritonModel(triton.address, name).run(inputs), _local(name).run(inputs)
    for output, values in local.items():
        np.testing.assert_allclose(remote[output], values, rtol=0, atol=_TOLERANCE)


def test_requests_that_no_model_takes_are_named(triton: TritonProcess) -> None:
    with pytest.raises(NotFound, match="does not have the model lips") as missing:
        TritonModel(triton.address, "lips")
    assert missing.value.remedy
    model = TritonModel(triton.address, MOTION_MODEL)
    state = np.zeros((1, 1600), np.float32)
    with pytest.raises(Internal, match="unexpected shape for input 'features'"):
        model.run({"features": np.zeros((1, 2, 7), np.float32), "state": state})
    encoder = TritonModel(triton.address, ENCODER_MODEL)
    state = encoder.constant("initial_state")[None]
    with pytest.raises(Internal, match="refused a request"):
        encoder.run({"mel": np.zeros((1, 0, 80), np.float32), "state": state})
    encoder.run({"mel": np.zeros((1, 2, 80), np.float32), "state": state})


def test_a_server_that_is_not_there_is_named() -> None:
    (port,) = free_ports(1)
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port} does not answer") as error:
        TritonModel(f"127.0.0.1:{port}", MOTION_MODEL, start_patience_s=0.2)
    assert "LIPSTREAM_MODELS" in error.value.remedy


def test_a_killed_server_is_named_and_waited_for(triton: TritonProcess) -> None:
    hasty = _Step(TritonModel(triton.address, MOTION_MODEL, patience_s=0.3))
    patient = _Step(TritonModel(triton.address, MOTION_MODEL, patience_s=60))
    expected = hasty()
    triton.stop(signal.SIGKILL)
    with pytest.raises(Unavailable, match="does not answer"):
        hasty()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(patient)
        triton.start()
        np.testing.assert_array_equal(waiting.result(60), expected)
    np.testing.assert_array_equal(patient(), expected)


def test_a_killed_model_is_found_and_loaded_again(triton: TritonProcess) -> None:
    health = TritonHealth(triton.address)
    assert health.faults() == {}
    step = _Step(TritonModel(triton.address, MOTION_MODEL, patience_s=0))
    expected = step()
    triton.kill_model(MOTION_MODEL)
    with pytest.raises(Unavailable, match="lost the process of a model"):
        step()
    assert list(health.faults()) == [MOTION_MODEL]
    assert [fault.code for fault in health.mend()] == ["models_dead"]
    assert health.faults() == {}
    np.testing.assert_array_equal(step(), expected)


class _Step:
    """One call of the motion model, always the same."""

    def __init__(self, model: TritonModel) -> None:
        self._model = model

    def __call__(self) -> Floats:
        features = np.full((1, 2, 128), 0.1, np.float32)
        state = np.zeros((1, 1600), np.float32)
        return self._model.run({"features": features, "state": state})["controls"]
