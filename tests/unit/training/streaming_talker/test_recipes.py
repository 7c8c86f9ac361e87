"""Training by preset: on speech with labels, on recorded motion; what is refused."""

from __future__ import annotations

import csv
import gzip
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from lipstream.audio.encoder import SpeechEncoder
from lipstream.errors import BadInput, NotFound
from lipstream.evaluation.utterance import write_shard
from lipstream.inference import OnnxModel
from lipstream.motion import StreamingTalker
from lipstream.training.commands import corpus_app, train_app
from lipstream.training.corpora import build, texts
from lipstream.training.dataset import cached_examples, nonspeech_examples
from lipstream.training.examples import make_example
from lipstream.training.overrides import overridden, read_overrides
from lipstream.training.pools import Kind
from lipstream.training.recipes import Recipe, export_run, train_preset
from lipstream.training.record import described, training_report
from lipstream.training.streaming_talker.ablation import ABLATIONS, ablate, as_table
from lipstream.training.streaming_talker.checkpoint import read_checkpoint
from lipstream.training.streaming_talker.clips import clip_pool
from lipstream.training.streaming_talker.config import Architecture, LatentConfig, Space
from lipstream.training.streaming_talker.trainer import TalkerTraining
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


_TINY_BASELINE = """
start = "scratch"
batch = 2
frames = 20
encoder = {width = 16, features = 8, heads = 2, inner = 16, memory = 3, past = 2, ahead = [1, 0]}
motion = {features = 8, width = 8, dilations = [1]}
"""
_TINY_TALKER = """
network.latent = {tokens = 2, token_width = 4, codes = 16, hidden = 16}
network.predictor = {width = 32, feed_forward = 32, history = 10}
motion = {steps = 3, batch = 2, frames = 20, validate_every = 3}
generation = {batch = 2, frames = 20, validate_every = 3}
"""


def test_the_commands_from_corpus_to_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Corpora, both trainings, one of them trained on from another, and the record of all."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build, "_SHARD_SECONDS", 10.0)
    monkeypatch.setattr(texts, "_WORD_LISTS", {})
    for folder in ("texts", "held"):
        Path(folder).mkdir()
    with gzip.open("texts/all_train-x.tsv.gz", "wt") as file:
        file.write("1 \tTHE BOY SAT ON A BIG MAP BY THE VIOLET VASE\n")
    for name, text in (("baseline.toml", _TINY_BASELINE), ("talker.toml", _TINY_TALKER)):
        Path(name).write_text(text)
    for run in ("first", "second", "talker"):  # the recipe's hour of it takes too long here
        Path(run, "examples").mkdir(parents=True)
        quiet = Path(run, "examples", "nonspeech.npz")
        cached_examples(quiet, lambda: nonspeech_examples(0.001, seed=5))
    write_shard(Path("held/held-0000.npz"), [spoken("Bob made a map.")])
    _run(
        corpus_app, "build --flite-hours 0 --espeak-hours 0.001 --transcripts texts --corpus speech"
    )
    common = "motion --corpus speech --dev held"
    _run(train_app, f"{common} --config baseline.toml --steps 2 --run first")
    _run(train_app, f"{common} --config baseline.toml --steps 1 --run second --from first")
    _run(train_app, "export --run second --models models")
    report = Path("models/motion_baseline/TRAINING.md").read_text()
    assert report.replace("motion_baseline", "speech_encoder", 1) == (
        Path("models/speech_encoder/TRAINING.md").read_text()
    )
    now, before = report.split("## Trained on from")
    for said, steps in ((now, 1), (before, 2)):
        assert "- preset: baseline" in said
        assert f"--steps = {steps}" in said
        assert f"| step | {steps} |" in said
        assert re.search(r"\| espeak \| 0\.00\d+ \| 50% \| 1 \| 13 \| seed 2, texts \w+ \|", said)
        assert f"torch {torch.__version__}" in said
    assert str(tmp_path) not in report
    talker = f"{common} --preset streaming_talker --config talker.toml --run talker"
    _run(train_app, f"{talker} --steps 3")
    assert "generation: going on at step 3" in _run(train_app, f"{talker} --steps 6")
    rows = csv.DictReader(Path("talker/generation.csv").read_text().splitlines())
    assert [row["step"] for row in rows] == ["3", "6"]
    _run(train_app, "export --run talker --models models")
    report = Path("models/streaming_talker/TRAINING.md").read_text()
    assert f"Speech encoder: {SpeechEncoder().identity}." in report
    assert "network.latent.codes = 16, " in report
    talking = StreamingTalker(model=OnnxModel(Path("models/streaming_talker/1/model.onnx")))
    assert talking.feature_count == SpeechEncoder().feature_count


def test_a_run_without_record_says_so(tmp_path: Path) -> None:
    record = described(tmp_path, {"steps": 900})
    report = training_report("streaming_talker", record, "not said")
    assert "kept no record" in report
    assert "steps = 900" in report


def _run(app: Typer, arguments: str) -> str:
    result = CliRunner().invoke(app, arguments.split())
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


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
