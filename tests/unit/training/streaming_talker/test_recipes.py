"""Training by preset: on speech with labels, on recorded motion; what is refused."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lipstream.audio.encoder import SpeechEncoder
from lipstream.errors import BadInput, NotFound
from lipstream.inference import OnnxModel
from lipstream.motion import StreamingTalker
from lipstream.training.examples import make_example
from lipstream.training.overrides import overridden, read_overrides
from lipstream.training.pools import Kind
from lipstream.training.recipes import Recipe, export_run, train_preset
from lipstream.training.streaming_talker.ablation import ABLATIONS, ablate, as_table
from lipstream.training.streaming_talker.checkpoint import read_checkpoint
from lipstream.training.streaming_talker.clips import clip_pool
from lipstream.training.streaming_talker.config import Architecture, LatentConfig, Space
from lipstream.training.streaming_talker.trainer import TalkerTraining, train_talker
from lipstream.training.validation import dev_speech
from tests.unit.motion.spoken import SENTENCES, spoken
from tests.unit.training.motion_samples import vocaset_folder

_SMALL = {
    "network": {
        "latent": {"tokens": 2, "token_width": 4, "codes": 16, "hidden": 16},
        "predictor": {"width": 32, "feed_forward": 32, "history": 10},
    },
    "motion": {"steps": 6, "batch": 2, "frames": 20, "validate_every": 3},
    "generation": {"steps": 6, "batch": 2, "frames": 20, "validate_every": 3},
}


def test_training_on_speech_goes_on_and_exports(tmp_path: Path) -> None:
    encoder = SpeechEncoder()
    rng = np.random.default_rng(0)
    examples = [make_example(spoken(text), rng, None) for text in SENTENCES]
    pool = clip_pool([Kind("flite", 1.0, examples)], encoder, tmp_path / "heard")
    dev = dev_speech([spoken("Bob made a map.")])
    config = overridden(TalkerTraining(), _SMALL)
    shorter = replace(config, generation=replace(config.generation, steps=3))
    train_talker(shorter, pool, dev, encoder, tmp_path)
    lines: list[str] = []
    train_talker(config, pool, dev, encoder, tmp_path, report=lines.append)
    assert "generation: going on at step 3" in lines
    rows = list(csv.DictReader((tmp_path / "generation.csv").open()))
    assert [row["step"] for row in rows] == ["3", "6"]
    assert float(rows[-1]["pbm_count"]) > 0
    (exported,) = export_run(tmp_path, tmp_path / "models")
    talker = StreamingTalker(model=OnnxModel(exported.path))
    assert talker.feature_count == encoder.feature_count


def test_ablations_make_one_table(tmp_path: Path) -> None:
    encoder = SpeechEncoder()
    rng = np.random.default_rng(0)
    examples = [make_example(spoken(text), rng, None) for text in SENTENCES[:2]]
    pool = clip_pool([Kind("flite", 1.0, examples)], encoder, tmp_path / "heard")
    config = overridden(TalkerTraining(), _SMALL)
    stage = replace(config.motion, steps=1, validate_every=1)
    config = replace(config, motion=stage, generation=stage)
    table = as_table(ablate(config, pool, [], encoder, tmp_path)).splitlines()
    assert table[0] == "| variant | held |"
    assert [line.split(" | ")[0][2:] for line in table[2:]] == [a.name for a in ABLATIONS]


def test_training_on_recorded_motion(tmp_path: Path) -> None:
    vocaset_folder(tmp_path)
    recipe = Recipe(
        "arkit", Path("nowhere"), tmp_path / "run", motion_corpus=tmp_path, overrides=_SMALL
    )
    network = read_checkpoint(train_preset(recipe))
    assert network.config.space is Space.RECORDED
    assert network.config.latent.motion == 21
    assert network.config.subjects == 2
    with torch.no_grad():
        assert network.decode(network.latents(torch.zeros(1, 5, 21))).shape == (1, 5, 21)
    with pytest.raises(BadInput, match=r"expects 15069 numbers.* has 21"):
        train_preset(replace(recipe, preset="vocaset", overrides={}, run=tmp_path / "other"))


@pytest.mark.parametrize(
    ("preset", "message"),
    [("vocaset", "trains on recorded motion"), ("deca", "no preset deca")],
)
def test_presets_without_their_data_are_refused(preset: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=message):
        train_preset(Recipe(preset, tmp_path, tmp_path / "run"))


def test_the_baseline_takes_no_recorded_motion(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="labelled speech"):
        train_preset(Recipe("baseline", tmp_path, tmp_path, motion_corpus=tmp_path))


def test_a_run_without_weights_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no finished training"):
        export_run(tmp_path, tmp_path)


def test_settings_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('[network.latent]\narchitecture = "transformer"\n[loss]\nlatent = 1\n')
    config = overridden(TalkerTraining(), read_overrides(path))
    assert config.network.latent.architecture is Architecture.TRANSFORMER
    assert config.loss.latent == 1.0
    assert config.network.predictor == TalkerTraining().network.predictor


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widht": 3}, "knows no widht"),
        ({"hidden": "many"}, "hidden is 'many'; a int"),
        ({"architecture": "round"}, "one of causal, transformer"),
        ({"quantised": 1}, "a bool"),
    ],
)
def test_wrong_settings_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        overridden(LatentConfig(), values)


def test_files_that_are_no_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_overrides(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("steps = ")
    with pytest.raises(BadInput, match="no TOML"):
        read_overrides(tmp_path / "bad.toml")


def test_speech_of_a_corpus_is_heard_once(tmp_path: Path) -> None:
    examples = [make_example(spoken(SENTENCES[0]), np.random.default_rng(0), None)]
    kinds = [Kind("flite", 1.0, examples)]
    first = clip_pool(kinds, SpeechEncoder(), tmp_path / "heard")
    again = clip_pool([Kind("flite", 1.0, [])], SpeechEncoder(), tmp_path / "heard")
    drawn = [pool.clips(np.random.default_rng(0), 2, 20).audio for pool in (first, again)]
    assert torch.equal(*drawn)
