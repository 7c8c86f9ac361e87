"""A network that gives NaN in the middle of speech: what the stages send, count and log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.features import features_of
from lipstream.audio.live import LiveFeatures
from lipstream.audio.mel import log_mel
from lipstream.audio.speech_models import OwnExtractor
from lipstream.face.motion import Floats, Motion
from lipstream.face.motion_file import read_npz
from lipstream.inference import FaultWatch, ModelStore, OnnxModel
from lipstream.inference.joined import JoinedSteps
from lipstream.motion import BaselineGenerator, MotionGenerator, StreamingTalker, generate
from lipstream.motion.job import MotionJob
from lipstream.motion.live import LiveMotion
from lipstream.pipeline import JobKind, stage_named
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.object_store import open_store
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.turns import Turns
from lipstream.v1 import audio_pb2, motion_pb2
from lipstream.wire.job import Job
from lipstream.wire.tensors import pack_tensor
from tests.integration.live.messages import EXTRACT, F32, GENERATE, audio_requests, motion_in
from tests.ops.scrapes import History, check_alerts, page
from tests.unit.inference.poison import LIMIT, poisoned
from tests.unit.motion.spoken import SENTENCES, spoken

_GENERATORS: dict[str, Any] = {
    "motion_baseline": BaselineGenerator,
    "streaming_talker": StreamingTalker,
}
_FAULT_ROW = 60
# The pair to blame; for StreamingTalker every frame whose window holds the row.
_FAULTS = {"motion_baseline": 1, "streaming_talker": 4}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("poisoned")


@pytest.fixture(scope="module", params=_GENERATORS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def generator(name: str, root: Path) -> MotionGenerator[Any]:
    source = ModelStore.bundled().onnx_path(name)
    model = OnnxModel(poisoned(source, root / name / "1" / "model.onnx"))
    made: MotionGenerator[Any] = _GENERATORS[name](model=model)
    return made


@pytest.fixture(scope="module")
def features() -> Floats:  # [T, D]
    return SpeechEncoder().encode(log_mel(spoken(SENTENCES[0]).waveform))[:160]


@pytest.fixture(scope="module")
def broken(features: Floats) -> Floats:
    changed = features.copy()
    changed[_FAULT_ROW, 5] = 2 * LIMIT
    return changed


def _moved(generator: MotionGenerator[Any], features: Floats, chunk: int = 160) -> Motion:
    pieces = [features[k : k + chunk] for k in range(0, len(features), chunk)]
    return Motion.concatenate(generate(generator, pieces, seed=2))


@pytest.fixture(scope="module")
def wanted(generator: MotionGenerator[Any], features: Floats) -> Motion:
    """What moves when nothing is at fault."""
    return _moved(generator, features)


def test_the_mouth_is_held_and_goes_on(
    generator: MotionGenerator[Any], name: str, wanted: Motion, broken: Floats
) -> None:
    watch = FaultWatch()
    with watch.watch():
        motion = _moved(generator, broken)
    assert watch.count == _FAULTS[name]
    assert len(motion) == len(wanted) == 80
    difference = np.abs(motion.blendshapes - wanted.blendshapes).max(axis=1)
    first = int(np.flatnonzero(difference > 1e-4)[0])
    assert abs(first - _FAULT_ROW // 2) <= 3
    steps = np.abs(np.diff(motion.blendshapes[first - 2 : first + 3], axis=0)).max()
    assert steps < 0.6, "the mouth does not jump more than in speech"
    assert difference[-10:].max() < 0.35


@pytest.mark.parametrize("chunk", [1, 3, 64])
def test_chunks_equal_the_whole(
    generator: MotionGenerator[Any], broken: Floats, chunk: int
) -> None:
    got, wanted = _moved(generator, broken, chunk), _moved(generator, broken)
    assert np.abs(got.blendshapes - wanted.blendshapes).max() < 1e-4


def test_the_state_stays_finite(generator: MotionGenerator[Any], broken: Floats) -> None:
    _, state = generator.step(broken, generator.initial_state())
    assert np.isfinite(state.network).all()
    generator.decode_state(state.encode())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_impossible_features_do_no_lasting_harm(
    generator: MotionGenerator[Any], features: Floats, wanted: Motion, value: float
) -> None:
    """Also in the channels of loudness and speech, which the head follows."""
    changed = features.copy()
    changed[_FAULT_ROW : _FAULT_ROW + 2] = value
    motion = _moved(generator, changed)
    assert np.abs(np.degrees(motion.rotation)).max() < 30
    assert np.abs(motion.blendshapes - wanted.blendshapes)[-10:].max() < 0.35


def test_a_network_that_says_nothing_leaves_the_mouth_at_rest(
    generator: MotionGenerator[Any], features: Floats
) -> None:
    changed = features.copy()
    changed[_FAULT_ROW:, 5] = 2 * LIMIT
    motion = _moved(generator, changed)
    assert motion.blendshapes[:25].max() > 0.1
    assert motion.blendshapes[60:, 17:40].max() < 0.06


def _requests(features: Floats) -> list[motion_pb2.GenerateRequest]:
    pieces = [features[k : k + 4] for k in range(0, len(features), 4)]
    said = [GENERATE(features=pack_tensor(piece)) for piece in pieces]
    return [GENERATE(config=motion_pb2.GenerateConfig(seed=2)), *said, GENERATE.end()]


def _counted(telemetry: Telemetry, lane: str) -> float:
    for line in telemetry.exposition().decode().splitlines():
        if line.startswith("lipstream_non_finite_total{") and f'lane="{lane}"' in line:
            return float(line.rpartition(" ")[2])
    return 0.0


def _answers(stage: Any, model: Any, requests: Sequence[Any]) -> list[Any]:
    """All that a stage answers, alone with its model."""

    async def said() -> list[Any]:
        turns: Turns[Any] = Turns(JoinedSteps(model), name="steps")
        answers = []
        for request in requests:
            async for answer in turns.iterate(stage.handle(request)):
                answers.append(answer)
        turns.close()
        return answers

    return asyncio.run(said())


def test_a_live_stream_goes_on_is_counted_and_logged_once(
    generator: MotionGenerator[Any], name: str, broken: Floats, caplog: pytest.LogCaptureFixture
) -> None:
    changed = broken.copy()
    changed[100, 5] = 2 * LIMIT
    telemetry = Telemetry("motion")
    requests = _requests(changed)
    stage = LiveMotion(generator, requests[0], partial(telemetry.non_finite, "live"))
    with caplog.at_level(logging.WARNING):
        answers = _answers(stage, generator, requests)
    assert answers[-1].HasField("end")
    motion = motion_in(answers)
    assert np.abs(motion.blendshapes - _moved(generator, changed).blendshapes).max() < 1e-4
    assert _counted(telemetry, "live") == 2 * _FAULTS[name]
    lines = [record for record in caplog.records if "passed over" in record.message]
    assert [getattr(line, "session_id", None) for line in lines] == ["s"]


def test_an_alert_calls(generator: MotionGenerator[Any], features: Floats, tmp_path: Path) -> None:
    changed = features.copy()
    changed[_FAULT_ROW : _FAULT_ROW + 60, 5] = 2 * LIMIT
    telemetry = Telemetry("motion")
    before = page("motion", telemetry.exposition().decode())
    requests = _requests(changed)
    stage = LiveMotion(generator, requests[0], partial(telemetry.non_finite, "live"))
    _answers(stage, generator, requests)
    history = History()
    history.play([before, page("motion", telemetry.exposition().decode())])
    check_alerts(tmp_path, history, "LipstreamNonFinite")


def test_a_job_ends_well_and_says_so(
    generator: MotionGenerator[Any], name: str, broken: Floats, tmp_path: Path
) -> None:
    store = open_store(str(tmp_path / "objects"))
    np.save(tmp_path / "features.npy", broken)
    store.put("jobs/j1/features.npy", (tmp_path / "features.npy").read_bytes())
    telemetry = Telemetry("motion")
    job = Job.new(JobKind.VIDEO, {"avatar": "a", "seed": 2}, job_id="j1")
    context = JobContext(job, stage_named("motion"), 1, store, scratch_dir=tmp_path)
    MotionJob(generator, telemetry)(context)
    (tmp_path / "motion.npz").write_bytes(store.get("jobs/j1/motion.npz"))
    assert len(read_npz(tmp_path / "motion.npz")) == 80
    assert _counted(telemetry, "job") == _FAULTS[name]
    assert context.warnings == (
        f"In {_FAULTS[name]} frames the mouth could not be computed; it was held.",
    )


def test_an_encoder_passes_over_what_it_cannot_hear(root: Path) -> None:
    """Log-mel frames above a level, which only a loud sound has."""
    samples = spoken(SENTENCES[0]).waveform[:48_000].copy()
    loud = samples.copy()
    times_s = np.arange(1_600) / 16_000
    loud[24_000:25_600] = 0.99 * np.sign(np.sin(2 * np.pi * 200 * times_s))
    level = float(log_mel(samples).max())
    assert float(log_mel(loud).max()) > level + 0.2
    source = ModelStore.bundled().onnx_path("speech_encoder")
    path = poisoned(source, root / "speech_encoder" / "1" / "model.onnx", limit=level + 0.1)
    encoder = SpeechEncoder(OnnxModel(path))
    watch = FaultWatch()
    with watch.watch():
        features = np.concatenate(list(features_of(encoder, [loud])))
    assert 3 <= watch.count <= 8
    assert np.isfinite(features).all()
    silent = np.flatnonzero(~features.any(axis=1))
    assert len(silent) == watch.count
    assert silent[0] in range(73, 77)
    plain = SpeechEncoder().encode(log_mel(samples))
    assert np.abs(features[:70] - plain[:70]).max() < 1e-4
    assert np.abs(features[-20:, :2] - plain[-20:, :2]).max() < 0.2

    telemetry = Telemetry("audio")
    config = audio_pb2.ExtractConfig(rate_hz=16_000, sample_format=F32)
    requests = [
        EXTRACT(config=config),
        *audio_requests(loud, 16_000, [700] * 99, sample_format=F32),
    ]
    stage = LiveFeatures(OwnExtractor(encoder), requests[0], partial(telemetry.non_finite, "live"))
    answers = _answers(stage, OwnExtractor(encoder), requests)
    assert answers[-1].HasField("end")
    assert _counted(telemetry, "live") == watch.count
