"""The evaluation command, and the committed weights on real speech."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lipstream.errors import NotFound
from lipstream.evaluation.commands import app, evaluate_lips
from lipstream.evaluation.labelled import labelled_utterances
from lipstream.evaluation.utterance import write_shard
from tests.shared_data import shared_data
from tests.unit.motion.spoken import SENTENCES, spoken


def test_figures_of_a_corpus_are_printed_and_written(tmp_path: Path) -> None:
    write_shard(tmp_path / "x-0000.npz", [spoken(text) for text in SENTENCES])
    path = tmp_path / "lips.json"
    arguments = ["lips", "--corpus", str(tmp_path), "--no-held-out", "--json", str(path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "pbm_closed" in result.output
    figures = json.loads(path.read_text())
    assert set(figures) == {"labels", "loudness", "baseline, 80 ms"}
    assert figures["labels"]["pbm_closed"] == 1
    assert figures["baseline, 80 ms"]["aperture_r"] > figures["loudness"]["aperture_r"]


def test_without_speech_the_command_says_what_it_needs() -> None:
    result = CliRunner().invoke(app, ["lips"])
    assert isinstance(result.exception, NotFound)


def test_the_committed_weights_read_on_real_speech() -> None:
    utterances = list(labelled_utterances(shared_data("phonemes")))
    figures = evaluate_lips(utterances, [80])
    baseline, loudness = figures["baseline, 80 ms"], figures["loudness"]
    assert baseline.pbm_closed > 0.5
    assert baseline.closed_elsewhere < 0.04
    assert baseline.closed_on_open_vowels < 0.06
    assert baseline.fv_tucked > 0.6
    assert baseline.rounded_narrower > 0.9
    assert abs(baseline.best_lag_ms) <= 20
    assert abs(baseline.closure_offset_ms) <= 20
    assert baseline.aperture_r > loudness.aperture_r
    assert baseline.aperture_r == pytest.approx(0.65, abs=0.15)
