"""A tiny training run, its resumption, and the export of its result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lipstream.audio.encoder import SpeechEncoder
from lipstream.errors import BadInput
from lipstream.inference import ModelStore, OnnxModel
from lipstream.motion import BaselineGenerator
from lipstream.training.augmentation import Acoustics
from lipstream.training.encoder_model import EncoderConfig, SpeechEncoderModel
from lipstream.training.examples import Pool, make_example
from lipstream.training.export import export_models, load_trained
from lipstream.training.motion_model import MotionConfig, MotionModel
from lipstream.training.trainer import TrainConfig, step_loss, train
from lipstream.training.validation import dev_speech
from tests.unit.motion.spoken import SENTENCES, spoken

_TINY = TrainConfig(
    steps=30,
    batch=4,
    frames=40,
    warm_up_steps=3,
    validate_every=15,
    start="scratch",
    encoder=EncoderConfig(
        width=32,
        features=24,
        heads=2,
        inner=48,
        memory=5,
        past=3,
        ahead=(1, 0),
        dropout=0,
        block_dropout=0,
    ),
    motion=MotionConfig(features=24, width=24, dilations=(1,), dropout=0, block_dropout=0),
)


@pytest.fixture(scope="module")
def pool() -> Pool:
    rng = np.random.default_rng(0)
    return Pool([(1.0, [make_example(spoken(text), rng, Acoustics()) for text in SENTENCES])])


@pytest.fixture(scope="module")
def run(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train(_TINY, pool, dev_speech([spoken(text) for text in SENTENCES[:2]]), folder)
    return folder


def test_a_few_steps_reduce_the_loss(pool: Pool, run: Path) -> None:
    batch = pool.batch(np.random.default_rng(1), 4, 40)
    torch.manual_seed(0)
    fresh = SpeechEncoderModel(_TINY.encoder).eval(), MotionModel(_TINY.motion).eval()
    trained = load_trained(run / "best.pt")
    with torch.no_grad():
        before = float(step_loss(*fresh, batch, _TINY.loss))
        after = float(step_loss(*trained, batch, _TINY.loss))
    assert after < 0.8 * before


def test_the_log_has_a_row_for_each_validation(run: Path) -> None:
    lines = (run / "log.csv").read_text().splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("step,loss,objective,pbm_count")


def test_a_run_goes_on_where_it_stopped(pool: Pool, tmp_path: Path) -> None:
    lines: list[str] = []
    train(replace(_TINY, steps=15), pool, [], tmp_path)
    train(_TINY, pool, [], tmp_path, report=lines.append)
    assert lines[0] == "going on at step 15"


def test_a_run_that_gets_no_better_stops_and_keeps_its_best(pool: Pool, tmp_path: Path) -> None:
    config = replace(_TINY, steps=50, learning_rate=0.0, validate_every=1, patience=2)
    lines: list[str] = []
    dev = dev_speech([spoken(SENTENCES[0])])
    trained = train(config, pool, dev, tmp_path, report=lines.append)
    assert trained.steps == 1
    assert torch.load(tmp_path / "latest.pt", weights_only=True)["step"] == 3
    assert lines[-1] == "no better for 2 validations: stopping"


def test_a_run_starts_from_an_earlier_one(pool: Pool, run: Path, tmp_path: Path) -> None:
    earlier = load_trained(run / "best.pt")
    train(replace(_TINY, steps=1, learning_rate=0.0), pool, [], tmp_path, earlier=earlier)
    for network, before in zip(load_trained(tmp_path / "best.pt"), earlier, strict=True):
        for name, value in before.state_dict().items():
            torch.testing.assert_close(network.state_dict()[name], value)


def test_exported_models_serve(run: Path, tmp_path: Path) -> None:
    encoder, motion = load_trained(run / "best.pt")
    exported = export_models(encoder, motion, tmp_path)
    assert max(e.difference for e in exported) < 1e-4
    store = ModelStore(tmp_path)
    hearing = SpeechEncoder(OnnxModel(store.onnx_path("speech_encoder")))
    features = hearing.encode(np.zeros((40, 80), np.float32))
    generator = BaselineGenerator(model=OnnxModel(store.onnx_path("motion_baseline")))
    frames, _ = generator.step(features, generator.initial_state())
    assert features.shape == (20, 24)
    assert generator.encoder == hearing.identity
    with pytest.raises(BadInput, match="was trained on features of"):
        generator.encoder.require(SpeechEncoder().identity)
    assert len(frames) == 9
    config = (tmp_path / "motion_baseline" / "config.pbtxt").read_text()
    assert 'name: "features" data_type: TYPE_FP32 dims: [ -1, 24 ]' in config


def test_foreign_checkpoints_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "best.pt"
    path.write_bytes(b"nothing")
    with pytest.raises(BadInput, match="no checkpoint"):
        load_trained(path)
