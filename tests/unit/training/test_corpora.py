"""Corpora: closures, shards, texts, alignment."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from lipstream.audio.wav import write_wav
from lipstream.errors import BadInput, Conflict, NotFound
from lipstream.evaluation.alignment import Aligner
from lipstream.evaluation.utterance import Utterance, read_corpus, read_shard, write_shard
from lipstream.face.motion import Floats
from lipstream.motion.phones import Segment
from lipstream.training.corpora import build
from lipstream.training.corpora.build import build_aligned, build_synthesised
from lipstream.training.corpora.closures import refine_closures
from lipstream.training.corpora.librispeech import recordings
from lipstream.training.corpora.speakers import Spoken
from lipstream.training.corpora.texts import Texts, load_texts
from lipstream.training.corpora.transcription import Transcriber, untranscribed
from tests.shared_data import shared_data
from tests.unit.motion.spoken import SENTENCES, spoken

_TEXTS = Texts(("one two three.", "four five six."), {"de": ("Haus", "Baum")})


def _noise(seconds: float) -> Floats:
    return np.random.default_rng(0).normal(0, 0.2, int(seconds * 16_000)).astype(np.float32)


def test_a_stop_starts_with_the_quiet_before_its_burst() -> None:
    samples = np.concatenate([_noise(0.3), np.zeros(1600, np.float32), _noise(0.3)])
    labels = [Segment(0.0, 0.4, "aa"), Segment(0.4, 0.45, "p"), Segment(0.45, 0.7, "aa")]
    vowel, stop, _ = refine_closures(labels, samples, 16_000)
    assert stop.start_s == pytest.approx(0.3, abs=0.011)
    assert vowel.end_s == pytest.approx(stop.start_s)
    assert stop.end_s == 0.45


def test_a_stop_in_continuous_sound_stays() -> None:
    labels = [Segment(0.0, 0.4, "aa"), Segment(0.4, 0.45, "b")]
    assert refine_closures(labels, _noise(0.5), 16_000) == tuple(labels)


def test_shards_keep_utterances(tmp_path: Path) -> None:
    utterances = [spoken(text) for text in SENTENCES[:2]]
    path = tmp_path / "real-0000.npz"
    write_shard(path, utterances)
    for expected, got in zip(utterances, read_shard(path), strict=True):
        assert (got.name, got.speaker) == (expected.name, expected.speaker)
        assert np.array_equal(got.samples, expected.samples)
        assert [s.symbol for s in got.segments] == [s.symbol for s in expected.segments]
        assert got.segments[3].start_s == pytest.approx(expected.segments[3].start_s, abs=1e-5)


def test_foreign_files_are_no_shards(tmp_path: Path) -> None:
    path = tmp_path / "real-0000.npz"
    path.write_bytes(b"PK nothing")
    with pytest.raises(BadInput, match="no corpus shard"):
        read_shard(path)
    np.savez(path, samples=np.zeros(3))
    with pytest.raises(BadInput, match="lacks"):
        read_shard(path)
    with pytest.raises(BadInput, match="No corpus"):
        list(read_corpus(tmp_path, "flite"))


class _Murmur:
    """Says seeded noise."""

    def speak(self, texts: Texts, rng: np.random.Generator) -> Iterator[Spoken]:
        for line in texts.lines(rng):
            seconds = float(rng.uniform(5, 10))
            samples = rng.normal(0, 0.1, int(seconds * 22_050)).astype(np.float32)
            phones = tuple(Segment(0.2 * k, 0.2 * k + 0.2, "aa") for k in range(8))
            yield Spoken(line.text, samples, 22_050, phones)


@pytest.fixture
def short_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a minute, not of a quarter of an hour."""
    monkeypatch.setattr(build, "_SHARD_SECONDS", 60.0)


@pytest.mark.usefixtures("short_shards")
def test_a_build_is_reproducible_and_resumes(tmp_path: Path) -> None:
    seconds = build_synthesised("x", _Murmur(), _TEXTS, tmp_path, hours=0.02, seed=4)
    assert seconds >= 0.02 * 3600
    paths = sorted(tmp_path.glob("x-*.npz"))
    before = paths[1].read_bytes()
    paths[1].unlink()
    assert build_synthesised("x", _Murmur(), _TEXTS, tmp_path, hours=0.02, seed=4) == seconds
    assert paths[1].read_bytes() == before
    assert all(isinstance(u, Utterance) for u in read_corpus(tmp_path, "x"))


@pytest.mark.usefixtures("short_shards")
def test_builds_with_other_settings_do_not_mix(tmp_path: Path) -> None:
    build_synthesised("x", _Murmur(), _TEXTS, tmp_path, hours=0.01, seed=4)
    with pytest.raises(Conflict, match="other seed"):
        build_synthesised("x", _Murmur(), _TEXTS, tmp_path, hours=0.02, seed=5)
    other = Texts(("seven.",), {})
    with pytest.raises(Conflict, match="other texts"):
        build_synthesised("x", _Murmur(), other, tmp_path, hours=0.02, seed=4)
    build_synthesised("y", _Murmur(), _TEXTS, tmp_path, hours=0.01, seed=5)


def test_speech_without_a_transcript_is_heard(tmp_path: Path) -> None:
    (tmp_path / "anna").mkdir()
    speech = spoken(SENTENCES[0])
    write_wav(tmp_path / "anna" / "one.wav", [speech.waveform], 16_000)
    write_wav(tmp_path / "anna" / "quiet.wav", [np.zeros(16_000, np.float32)], 16_000)
    corpus = tmp_path / "corpus"
    build_aligned(
        "real",
        untranscribed(tmp_path),
        corpus,
        Aligner(lambda word: ["ah"]),
        transcriber=Transcriber(),
    )
    (utterance,) = read_corpus(corpus, "real")
    assert (utterance.speaker, utterance.name) == ("anna", "one")
    assert len(utterance.segments) > 0.3 * len(speech.segments)
    (tmp_path / "anna" / "one.wav").rename(tmp_path / "anna" / "two.wav")
    with pytest.raises(Conflict, match="recordings"):
        build_aligned("real", untranscribed(tmp_path), corpus, Aligner(lambda word: ["ah"]))


def test_texts_are_seeded() -> None:
    first, second = (_TEXTS.lines(np.random.default_rng(3)) for _ in range(2))
    lines = [next(first) for _ in range(30)]
    assert lines == [next(second) for _ in range(30)]
    assert {line.language for line in lines} == {"en", "de"}


def test_a_machine_without_text_is_told_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no English text"):
        load_texts(fortunes=tmp_path / "none", dictionaries=tmp_path)


def test_alignment_finds_the_phones_of_real_speech() -> None:
    speech = shared_data("speech")
    recording = next(r for r in recordings(speech, "test-other") if len(r.text) > 40)
    import soundfile

    samples, _ = soundfile.read(recording.path, dtype="float32")
    segments = Aligner(lambda word: ["ah"]).align(samples, recording.text)
    assert len(segments) > 0.5 * len(recording.text.replace(" ", ""))
    assert all(a.end_s <= b.start_s + 1e-6 for a, b in pairwise(segments))
    assert segments[-1].end_s <= len(samples) / 16_000 + 0.02


def test_unknown_words_are_refused_without_a_pronunciation() -> None:
    with pytest.raises(BadInput, match="xqzzy"):
        Aligner().align(np.zeros(16_000, np.float32), "hello xqzzy")


def test_missing_recordings_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="train-clean-100"):
        list(recordings(tmp_path, "train-clean-100"))
