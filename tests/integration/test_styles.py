"""A style from a clip, through the command, the motion stage's jobs and its live streams."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from lipstream.audio import SAMPLE_RATE_HZ, resample, synthesize
from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.features import features_of
from lipstream.errors import BadInput
from lipstream.face.motion import Floats, Motion
from lipstream.face.motion_file import load_motion, read_npz, save_motion
from lipstream.inference import ModelStore
from lipstream.motion import generate, open_generator
from lipstream.motion import service as motion
from lipstream.motion.job import MotionJob
from lipstream.pipeline import JobKind, stage_named
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.object_store import ObjectStore, open_store
from lipstream.runtime.telemetry import Telemetry
from lipstream.training.streaming_talker.export import export_talker
from lipstream.v1 import motion_pb2, motion_pb2_grpc
from lipstream.wire.job import Job
from lipstream.wire.tensors import pack_tensor
from tests.command import command
from tests.integration.live.live_call import LONGEST_S, problem_of
from tests.integration.live.messages import GENERATE, motion_in
from tests.integration.live.stage_host import StageHost
from tests.unit.motion.clips import speaking_clip
from tests.unit.training.streaming_talker.tiny import styled_network

_SENTENCE = "Bob put a map there."
_SEED = 3
_WIDTH = 16


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small StreamingTalker with its style encoder, beside the own speech encoder."""
    root = tmp_path_factory.mktemp("models")
    export_talker(styled_network(SpeechEncoder().feature_count), root)
    (root / "speech_encoder").symlink_to(ModelStore.bundled().root / "speech_encoder")
    return root


@pytest.fixture(autouse=True)
def chosen(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPSTREAM_MODELS", str(models))
    monkeypatch.setenv("LIPSTREAM_GENERATOR", "streaming_talker")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.csv"
    save_motion(path, speaking_clip(0.9))
    return path


@pytest.fixture(scope="module")
def features() -> Floats:  # [T, D]
    speech = synthesize(_SENTENCE)
    samples = resample(speech.samples, speech.rate_hz, SAMPLE_RATE_HZ)
    return np.concatenate(list(features_of(SpeechEncoder(), [samples])))


def _wanted(features: Floats, style: Floats | None) -> Motion:
    talker = open_generator("streaming_talker")
    return Motion.concatenate(generate(talker, [features], seed=_SEED, style=style))


def _style(clip: Path) -> Floats:
    return open_generator("streaming_talker").style_of(load_motion(clip))


def _distance(first: Motion, second: Motion) -> float:
    assert len(first) == len(second)
    return float(np.abs(first.blendshapes - second.blendshapes).max())


def test_the_command_takes_a_clip(features: Floats, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "motion.json"
    say = ("motion", "--text", _SENTENCE, "--seed", _SEED, "-o", out)
    done = command(*say, "--style", clip)
    assert done.returncode == 0, done.stderr
    assert _distance(load_motion(out), _wanted(features, _style(clip))) < 2e-3
    assert _distance(load_motion(out), _wanted(features, None)) > 0.02
    done = command(*say)
    assert done.returncode == 0, done.stderr
    assert _distance(load_motion(out), _wanted(features, None)) < 2e-3


def test_the_command_writes_a_style(clip: Path, tmp_path: Path) -> None:
    done = command("style", clip)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(json.loads(done.stdout), _style(clip), atol=1e-5)
    done = command("style", clip, "-o", tmp_path / "style.json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads((tmp_path / "style.json").read_text())) == _WIDTH


def test_the_command_says_why_there_is_no_style(models: Path, clip: Path, tmp_path: Path) -> None:
    say = ("motion", "--text", "Hi.", "-o", tmp_path / "x.csv")
    bare = tmp_path / "bare"
    shutil.copytree(models, bare)
    shutil.rmtree(bare / "streaming_talker_style")
    bundled = str(ModelStore.bundled().root)
    for style, generator, root, said in (
        (clip, "baseline", bundled, "has no styles"),
        (tmp_path / "none.csv", "streaming_talker", str(models), "There is no file"),
        (clip, "streaming_talker", str(bare), "neutral style only"),
    ):
        options = ("--style", style, "--generator", generator)
        done = command(*say, *options, LIPSTREAM_MODELS=root)
        assert done.returncode == 1
        assert said in " ".join(done.stderr.split()), done.stderr
    assert not (tmp_path / "x.csv").exists()


def _job(store: ObjectStore, style: object, scratch: Path) -> JobContext:
    params = {"avatar": "a", "text": _SENTENCE, "seed": _SEED, "style": style}
    job = Job.new(JobKind.VIDEO, params, job_id="j1")
    return JobContext(job, stage_named("motion"), 1, store, scratch_dir=scratch)


def test_jobs_take_a_style(features: Floats, clip: Path, tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "objects"))
    np.save(tmp_path / "features.npy", features)
    store.put("jobs/j1/features.npy", (tmp_path / "features.npy").read_bytes())
    handle = MotionJob(open_generator("streaming_talker"), Telemetry("motion"))
    style = _style(clip)
    handle(_job(store, style.tolist(), tmp_path))
    (tmp_path / "motion.npz").write_bytes(store.get("jobs/j1/motion.npz"))
    assert _distance(read_npz(tmp_path / "motion.npz"), _wanted(features, style)) < 1e-5
    for wrong in ([0.0], "warm", [float("nan")] * _WIDTH, [[0.0]] * _WIDTH, {"a": 1}):
        with pytest.raises(BadInput, match="A style"):
            handle(_job(store, wrong, tmp_path))


def test_live_streams_take_a_style(features: Floats, clip: Path, tmp_path: Path) -> None:
    style = _style(clip)

    def requests(config: motion_pb2.GenerateConfig) -> list[motion_pb2.GenerateRequest]:
        pieces = [features[k : k + 7] for k in range(0, len(features), 7)]
        said = [GENERATE(features=pack_tensor(piece)) for piece in pieces]
        return [GENERATE(config=config), *said, GENERATE.end()]

    with StageHost(tmp_path / "objects") as host:
        move = motion_pb2_grpc.MotionServiceStub(host.start("motion", motion.build))

        def call(config: motion_pb2.GenerateConfig) -> list[motion_pb2.GenerateResponse]:
            return list(move.Generate(iter(requests(config)), timeout=LONGEST_S))

        answers = call(motion_pb2.GenerateConfig(seed=_SEED, style=style))
        assert answers[0].ready.style_width == _WIDTH
        assert _distance(motion_in(answers), _wanted(features, style)) < 1e-4
        plain = motion_in(call(motion_pb2.GenerateConfig(seed=_SEED)))
        assert _distance(plain, _wanted(features, None)) < 1e-4
        for wrong in ([1.0], [float("inf")] * _WIDTH):
            config = motion_pb2.GenerateConfig(style=wrong)
            assert problem_of(lambda c=config: call(c)).code == "bad_style"  # type: ignore[misc]
