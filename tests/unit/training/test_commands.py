"""The corpus and training commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lipstream.errors import BadInput
from lipstream.evaluation.utterance import read_corpus, write_shard
from lipstream.training.commands import corpus_app, train_app
from lipstream.training.corpora import build, texts
from lipstream.training.pools import development_speech, recipe_examples
from tests.unit.motion.spoken import SENTENCES, spoken


def test_espeak_fills_a_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_SHARD_SECONDS", 20.0)
    monkeypatch.setattr(texts, "_WORD_LISTS", {})
    transcripts = tmp_path / "texts"
    transcripts.mkdir()
    (transcripts / "all_train-x.tsv.gz").write_bytes(_gzipped("1 \tTHE CAT SAT ON A BIG MAP\n"))
    arguments = ["synthesise", "espeak", "--hours", "0.01", "--corpus", str(tmp_path / "c")]
    result = CliRunner().invoke(corpus_app, [*arguments, "--transcripts", str(transcripts)])
    assert result.exit_code == 0, result.output
    utterances = list(read_corpus(tmp_path / "c", "espeak"))
    assert sum(u.duration_s for u in utterances) > 36
    assert any(s.symbol == "m" for u in utterances for s in u.segments)
    result = CliRunner().invoke(corpus_app, ["inspect", str(tmp_path / "c")])
    assert result.exit_code == 0, result.output
    assert str(len(utterances)) in result.output


def _gzipped(text: str) -> bytes:
    import gzip

    return gzip.compress(text.encode())


def test_kokoro_is_asked_for_its_folder(tmp_path: Path) -> None:
    result = CliRunner().invoke(corpus_app, ["synthesise", "kokoro", "--corpus", str(tmp_path)])
    assert isinstance(result.exception, BadInput)
    assert "--kokoro" in result.exception.remedy


def test_unknown_synthesisers_are_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(corpus_app, ["synthesise", "nobody", "--corpus", str(tmp_path)])
    assert isinstance(result.exception, BadInput)


def test_training_without_a_corpus_says_how_to_build_one(tmp_path: Path) -> None:
    arguments = ["motion", "--corpus", str(tmp_path), "--run", str(tmp_path / "run")]
    result = CliRunner().invoke(train_app, arguments)
    assert isinstance(result.exception, BadInput)
    assert "lipstream corpus" in str(result.exception)


def test_only_the_baseline_is_trained_on(tmp_path: Path) -> None:
    arguments = ["motion", "--preset", "streaming_talker", "--from", str(tmp_path)]
    result = CliRunner().invoke(train_app, arguments)
    assert isinstance(result.exception, BadInput)
    assert "Only the baseline" in str(result.exception)


def test_the_pool_takes_what_is_there(tmp_path: Path) -> None:
    write_shard(tmp_path / "flite-0000.npz", [spoken(SENTENCES[0])])
    lines: list[str] = []
    kinds = recipe_examples(tmp_path, tmp_path / "c", report=lines.append, nonspeech_hours=0.01)
    assert [kind.name for kind in kinds] == ["flite", "nonspeech"]
    assert any(line.startswith("real: not in") for line in lines)


def test_development_takes_the_first_speakers_only(tmp_path: Path) -> None:
    from dataclasses import replace

    utterances = [replace(spoken(), speaker=f"s{k}") for k in range(8)]
    write_shard(tmp_path / "x-0000.npz", utterances)
    assert [s.utterance.speaker for s in development_speech(tmp_path)] == [
        f"s{k}" for k in range(5)
    ]
