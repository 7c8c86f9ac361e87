"""`lipstream evaluate motion`: its options, files and errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from lipstream.cli.evaluate_motion import evaluate_motion_command
from lipstream.errors import BadInput, LipstreamError, NotFound
from lipstream.evaluation import motion_evaluation, quiet_sounds
from lipstream.evaluation.recorded import RecordedMeshes, RecordedMotions
from lipstream.evaluation.trials import repeated
from lipstream.evaluation.utterance import write_shard
from lipstream.training.recipes import Recipe, train_preset
from lipstream.training.recorded_faces import open_recorded
from tests.unit.motion.spoken import SENTENCES, spoken
from tests.unit.training.motion_samples import biwi, diffposetalk, facegood, live_link, vocaset

_TINY_RUN: dict[str, Any] = {
    "network": {"latent": {"hidden": 16}, "predictor": {"width": 32, "feed_forward": 32}},
    "motion": {"steps": 2, "batch": 2, "frames": 20, "validate_every": 2},
    "generation": {"steps": 2, "batch": 2, "frames": 20, "validate_every": 2},
}

app = typer.Typer()
app.command()(evaluate_motion_command)

_BOTH = ("baseline, 80 ms", "streaming_talker, 80 ms")


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet_sounds, "QUIET_SOUND_S", 1.0)
    monkeypatch.setattr(repeated, "TAKES", 2)
    for module in (repeated, motion_evaluation):
        monkeypatch.setattr(module, "REPEATED_RECORDINGS", 1)


def _figures(folder: Path, *arguments: str) -> dict[str, Any]:
    path = folder / "figures.json"
    result = CliRunner().invoke(app, [*arguments, "--json", str(path)])
    assert result.exit_code == 0, result.exception or result.output
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def _error(*arguments: str) -> LipstreamError:
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, LipstreamError), result.output
    return result.exception


def test_aligned_speech_and_recorded_motion_in_one_report(tmp_path: Path) -> None:
    corpus, faces = tmp_path / "speech", tmp_path / "faces"
    corpus.mkdir()
    faces.mkdir()
    write_shard(corpus / "x-0000.npz", [spoken(text) for text in SENTENCES[:2]])
    facegood(faces, seconds=3.0)
    report = tmp_path / "report"
    figures = _figures(
        tmp_path,
        *("--corpus", str(corpus), "--no-held-out", "--motion-corpus", str(faces)),
        *("--report", str(report)),
    )
    assert list(figures) == [
        "labels",
        "loudness",
        "still",
        "baseline, 80 ms",
        "streaming_talker, 80 ms",
    ]
    assert figures["labels"]["lip_sync"]["pbm_closed"] == 1
    assert figures["still"]["against_recorded"]["clips"] == 2
    assert figures["still"]["against_recorded"]["fdd_mm2"] is None
    assert figures["baseline, 80 ms"]["against_recorded"]["lve_mm2"] > 0
    assert {p.name for p in report.glob("*.png")} >= {"distance.png", "recorded_1.png"}
    text = (report / "report.md").read_text("utf-8")
    assert "neither eyes nor brows" in text
    assert f"weights, {faces}" in text


def test_speakers_of_development_are_left_out(tmp_path: Path) -> None:
    utterances = [replace(spoken("Bob."), speaker=f"s{k}") for k in range(6)]
    write_shard(tmp_path / "x-0000.npz", utterances)
    held_out = _figures(tmp_path, "--corpus", str(tmp_path))
    everybody = _figures(tmp_path, "--corpus", str(tmp_path), "--no-held-out")
    counts = [f["labels"]["lip_sync"]["pbm_count"] for f in (held_out, everybody)]
    assert 6 * counts[0] == counts[1]
    write_shard(tmp_path / "x-0000.npz", utterances[:3])
    assert "none is held out" in str(_error("--corpus", str(tmp_path)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "neither labelled speech nor recorded motion"),
        (("--labelled", "nowhere"), "no folder nowhere"),
        (("--corpus", "nowhere"), "no folder nowhere"),
        (("--motion-corpus", "nowhere"), "no folder nowhere"),
        (("--labelled", "."), "No labelled speech"),
        (("--corpus", "."), "No corpus"),
        (("--motion-corpus", "."), "no motion corpus"),
        (("--json", "figures.txt"), "does not end in .json"),
        (("--json", "nowhere/figures.json"), "does not exist"),
        (("--report", "file"), "is no folder"),
        (("--run", "run"), "needs --motion-corpus"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    assert message in str(_error(*arguments))


@pytest.mark.parametrize(
    ("make", "unit", "clips"), [(vocaset, "m", 1), (biwi, "", 1)], ids=["vocaset", "biwi"]
)
def test_vertices_are_those_that_the_published_split_tests_on(
    make: Callable[[Path], object], unit: str, clips: int, tmp_path: Path
) -> None:
    make(tmp_path)
    corpus = open_recorded(tmp_path)
    assert isinstance(corpus, RecordedMeshes)
    assert corpus.count == clips == len(list(corpus.clips)) == len(list(corpus.clips))
    assert corpus.vertex_set.unit == unit
    assert "make blendshapes" in corpus.notes[0]
    assert (corpus.vertex_set.lips is None) is ("left out" in corpus.notes[-1])
    clip = next(iter(corpus.clips))
    assert clip.vertices.shape[1:] == clip.template.shape
    everything = open_recorded(tmp_path, held_out=False)
    assert everything.count == 4


def test_takes_of_an_iphone_are_read(tmp_path: Path) -> None:
    live_link(tmp_path)
    corpus = open_recorded(tmp_path)
    assert isinstance(corpus, RecordedMotions)
    assert corpus.count == 4
    take = next(iter(corpus.takes))
    assert take.motion.fps == 60
    assert len(take.samples) == 32_000


def test_flame_needs_its_model(tmp_path: Path) -> None:
    diffposetalk(tmp_path)
    with pytest.raises(BadInput, match="FLAME's own model"):
        open_recorded(tmp_path)


def test_a_run_stands_on_the_corpus_that_it_was_trained_on(tmp_path: Path) -> None:
    faces, run = tmp_path / "faces", tmp_path / "my run"
    faces.mkdir()
    biwi(faces)
    train_preset(Recipe("arkit", Path("none"), run, motion_corpus=faces, overrides=_TINY_RUN))
    arguments = ("--motion-corpus", str(faces), "--run", str(run))
    score = _figures(tmp_path, *arguments)["my run"]["against_recorded"]
    assert np.isfinite(score["lve_corpus_units2"])
    assert score["mod_corpus_units"] is None
    other = tmp_path / "other"
    other.mkdir()
    facegood(other)
    assert "makes 15 numbers" in str(_error("--motion-corpus", str(other), "--run", str(run)))
    with pytest.raises(NotFound, match=r"holds no talker\.pt"):
        open_recorded(faces, [tmp_path])


def test_a_run_on_blendshapes_is_a_generator_among_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces, run = tmp_path / "faces", tmp_path / "run"
    faces.mkdir()
    facegood(faces, seconds=2.0)
    train_preset(Recipe("arkit", Path("none"), run, motion_corpus=faces, overrides=_TINY_RUN))
    arguments = ("--motion-corpus", str(faces), "--run", str(run), "--no-held-out")
    figures = _figures(tmp_path, *arguments)
    assert list(figures) == [
        "loudness",
        "still",
        "baseline, 80 ms",
        "streaming_talker, 80 ms",
        "run",
    ]
    assert figures["run"]["against_recorded"]["clips"] == 2
    assert "silence" in figures["run"]["rest"]
