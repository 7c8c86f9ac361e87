"""Another speech encoder, from training to motion: one choice for the stages and the command."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest

from lipstream.audio import resample, synthesize
from lipstream.audio import service as audio
from lipstream.audio.job import AudioJob
from lipstream.audio.limits import AudioLimits
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.audio.speech_models import encode_recording, open_voiced_extractor
from lipstream.errors import BadInput
from lipstream.face.motion import Motion
from lipstream.face.motion_file import load_motion, read_npz
from lipstream.inference import ModelStore, OnnxModel
from lipstream.motion import StreamingTalker, generate, open_generator
from lipstream.motion import service as motion
from lipstream.motion.job import MotionJob
from lipstream.pipeline import JobKind, stage_named
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.object_store import ObjectStore, open_store
from lipstream.runtime.telemetry import Telemetry
from lipstream.training.recipes import Recipe, export_run, train_preset
from lipstream.training.streaming_talker import recordings
from lipstream.training.streaming_talker.recordings import recording_pool
from lipstream.v1 import audio_pb2, audio_pb2_grpc, motion_pb2, motion_pb2_grpc
from lipstream.wire.job import Job
from tests.command import command
from tests.integration.live.live_call import LONGEST_S, problem_of
from tests.integration.live.messages import EXTRACT, F32, Sender, audio_requests, motion_in
from tests.integration.live.stage_host import StageHost
from tests.unit.audio.tiny_speech_models import WIDTH, save_model
from tests.unit.motion.spoken import SENTENCES, spoken

pytest.importorskip("transformers")

_SMALL = {
    "network": {
        "latent": {"tokens": 2, "token_width": 4, "codes": 16, "hidden": 16},
        "predictor": {"width": 32, "feed_forward": 32, "history": 10},
    },
    "motion": {"steps": 4, "batch": 2, "frames": 20, "validate_every": 4},
    "generation": {"steps": 4, "batch": 2, "frames": 20, "validate_every": 4},
}
_WINDOW = "left_s=0.2&chunk_ms=200&look_ahead_ms=40&device=cpu"
_SENTENCE = "Bob put a map there."
_SEED = 3


@dataclass(frozen=True, slots=True)
class Setup:
    encoder: str
    models: Path


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    """A talker of a few steps of training on the features of a tiny HuBERT, exported."""
    from lipstream.evaluation.utterance import shard_path, write_shard

    root = tmp_path_factory.mktemp("choice")
    encoder = f"hubert:{save_model('hubert', root / 'hubert')}?{_WINDOW}"
    (root / "corpus").mkdir()
    write_shard(shard_path(root / "corpus", "flite", 0), [spoken(text) for text in SENTENCES])
    recipe = Recipe("arkit", root / "corpus", root / "run", encoder=encoder, overrides=_SMALL)
    with pytest.MonkeyPatch.context() as patch:
        # Of sounds without speech, some seconds are enough here.
        patch.setattr(recordings, "recording_pool", partial(recording_pool, nonspeech_hours=0.005))
        train_preset(recipe)
    models = root / "models"
    export_run(root / "run", models)
    (models / "speech_encoder").symlink_to(ModelStore.bundled().root / "speech_encoder")
    return Setup(encoder, models)


@pytest.fixture
def chosen(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """The environment of stages that use it."""
    monkeypatch.setenv("LIPSTREAM_MODELS", str(setup.models))
    monkeypatch.setenv("LIPSTREAM_ENCODER", setup.encoder)
    monkeypatch.setenv("LIPSTREAM_GENERATOR", "streaming_talker")
    return setup


@pytest.fixture(scope="module")
def samples() -> Samples:
    speech = synthesize(_SENTENCE)
    return resample(speech.samples, speech.rate_hz, SAMPLE_RATE_HZ)


def _expected(setup: Setup, samples: Samples) -> Motion:
    talker = StreamingTalker(model=OnnxModel(setup.models / "streaming_talker/1/model.onnx"))
    features = encode_recording(open_voiced_extractor(setup.encoder), [samples])
    return Motion.concatenate(generate(talker, [features], seed=_SEED))


def _same(got: Motion, wanted: Motion) -> None:
    assert len(got) == len(wanted)
    for name in ("blendshapes", "rotation", "translation", "gaze"):
        np.testing.assert_allclose(getattr(got, name), getattr(wanted, name), atol=2e-3)


def _live(host: StageHost, samples: Samples) -> list[motion_pb2.GenerateResponse]:
    """Speech through both live stages."""
    hear = audio_pb2_grpc.AudioServiceStub(host.start("audio", audio.build))
    move = motion_pb2_grpc.MotionServiceStub(host.start("motion", motion.build))
    config = audio_pb2.ExtractConfig(rate_hz=SAMPLE_RATE_HZ, sample_format=F32)
    requests = audio_requests(samples, SAMPLE_RATE_HZ, repeat(700), sample_format=F32)
    answers = list(hear.Extract(iter([EXTRACT(config=config), *requests]), timeout=LONGEST_S))
    features = [answer.features for answer in answers if answer.HasField("features")]
    assert sum(f.values.shape[0] for f in features) == samples.size // 320
    send = Sender(motion_pb2.GenerateRequest)
    onward = [send(config=motion_pb2.GenerateConfig(seed=_SEED))]
    for values in features:
        onward.append(send(features=values.values, encoder=values.encoder))
    onward.append(send.end())
    return list(move.Generate(iter(onward), timeout=LONGEST_S))


def test_live_stages_speak_with_it(chosen: Setup, samples: Samples, tmp_path: Path) -> None:
    with StageHost(tmp_path / "objects") as host:
        answers = _live(host, samples)
    got = motion_in(answers)
    _same(got, _expected(chosen, samples))
    assert got.blendshapes.max() > 0


def test_features_say_how_late_they_come(chosen: Setup, tmp_path: Path) -> None:
    with StageHost(tmp_path / "objects") as host:
        hear = audio_pb2_grpc.AudioServiceStub(host.start("audio", audio.build))
        config = audio_pb2.ExtractConfig(rate_hz=SAMPLE_RATE_HZ, sample_format=F32)
        requests = audio_requests(
            np.zeros(16_000, np.float32), SAMPLE_RATE_HZ, repeat(800), sample_format=F32
        )
        answers = list(hear.Extract(iter([EXTRACT(config=config), *requests]), timeout=LONGEST_S))
    # The rest of a block of 200 ms, the look-ahead, and 5 ms that the last row reaches beyond it.
    assert answers[0].ready.latency_ms == 180 + 40 + 5
    first = answers[1].features
    assert (first.encoder.kind, first.encoder.width) == ("hubert", WIDTH + 2)
    assert len(first.encoder.digest) == 16
    assert not first.encoder.HasField("layer")


def test_live_features_of_another_encoder_are_refused(chosen: Setup, tmp_path: Path) -> None:
    identity = open_voiced_extractor(chosen.encoder).identity
    config = motion_pb2.GenerateConfig()
    send = Sender(motion_pb2.GenerateRequest)
    request = send(
        encoder={"kind": "hubert", "width": WIDTH + 2, "digest": "ab"},
        features={"shape": [2, WIDTH + 2], "data": bytes(8 * (WIDTH + 2))},
    )
    with StageHost(tmp_path / "objects") as host:
        move = motion_pb2_grpc.MotionServiceStub(host.start("motion", motion.build))
        fault = problem_of(
            lambda: list(move.Generate(iter([send(config=config), request]), timeout=LONGEST_S))
        )
    assert fault.code == "encoder_mismatch"
    assert identity.digest in fault.message
    assert "weights ab" in fault.message


def _job(store: ObjectStore, stage: str, scratch: Path) -> JobContext:
    params = {"avatar": "a", "text": _SENTENCE, "voice": "en-us", "seed": _SEED}
    job = Job.new(JobKind.VIDEO, params, job_id="j1")
    return JobContext(job, stage_named(stage), 1, store, scratch_dir=scratch)


def test_jobs_speak_with_it(chosen: Setup, samples: Samples, tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "objects"))
    AudioJob(open_voiced_extractor(chosen.encoder), AudioLimits(), Telemetry("audio"))(
        _job(store, "audio", tmp_path)
    )
    MotionJob(open_generator("streaming_talker"), Telemetry("motion"))(
        _job(store, "motion", tmp_path)
    )
    (tmp_path / "motion.npz").write_bytes(store.get("jobs/j1/motion.npz"))
    _same(read_npz(tmp_path / "motion.npz"), _expected(chosen, samples))


def test_jobs_of_another_encoder_are_refused(chosen: Setup, tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "objects"))
    AudioJob(open_voiced_extractor("own"), AudioLimits(), Telemetry("audio"))(
        _job(store, "audio", tmp_path)
    )
    with pytest.raises(BadInput, match=r"trained on features of the speech encoder hubert") as it:
        MotionJob(open_generator("streaming_talker"), Telemetry("motion"))(
            _job(store, "motion", tmp_path)
        )
    assert it.value.code == "encoder_mismatch"
    # An audio stage of before says nothing: then the width is checked.
    store.delete("jobs/j1/encoder.txt")
    with pytest.raises(BadInput, match="Features have shape"):
        MotionJob(open_generator("streaming_talker"), Telemetry("motion"))(
            _job(store, "motion", tmp_path)
        )


def test_the_command_reads_the_same_settings(
    chosen: Setup, samples: Samples, tmp_path: Path
) -> None:
    out = tmp_path / "motion.json"
    # The encoder is the environment's; options come before it.
    done = command(
        *("motion", "--text", _SENTENCE, "--seed", _SEED),
        *("--generator", "streaming_talker", "-o", out),
        LIPSTREAM_GENERATOR="baseline",
    )
    assert done.returncode == 0, done.stderr
    _same(load_motion(out), _expected(chosen, samples))


def test_the_command_refuses_what_does_not_belong_together(chosen: Setup, tmp_path: Path) -> None:
    say = ("motion", "--text", "Hi.", "-o", tmp_path / "x.csv")
    done = command(*say, "--encoder", "own")
    assert done.returncode == 1
    assert "trained on features of the speech encoder hubert" in done.stderr.replace("\n", " ")
    done = command(*say, "--encoder", f"hubert:{tmp_path / 'nowhere'}")
    assert done.returncode == 1
    assert "There is no folder" in done.stderr


def test_without_a_pretrained_encoder_no_stage_imports_torch() -> None:
    code = (
        "import sys, lipstream.audio.service, lipstream.motion.service, lipstream.cli.motion;"
        "from lipstream.audio.speech_models import open_voiced_extractor, encode_recording;"
        "import numpy as np;"
        "encode_recording(open_voiced_extractor('own'), [np.zeros(16000, np.float32)]);"
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_baseline_takes_no_other_encoder(setup: Setup, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="an encoder of its own"):
        train_preset(Recipe("baseline", tmp_path, tmp_path, encoder=setup.encoder))
