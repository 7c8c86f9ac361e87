"""Clips with the features of their audio."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lipstream.audio.speech_models import EncoderChoice, OwnExtractor
from lipstream.errors import BadInput
from lipstream.training.clip_features import FeatureStore, clip_features, resampled
from lipstream.training.commands import corpus_app
from lipstream.training.corpora.recognise import open_motion_corpus
from tests.unit.training import motion_samples


def test_frames_of_motion_and_features_match(tmp_path: Path) -> None:
    motion_samples.vocaset(tmp_path)
    corpus = open_motion_corpus(tmp_path)
    clip = corpus.load(corpus.clips[0])
    example = clip_features(clip, OwnExtractor())
    assert len(example.features) == len(example.motion) == len(example) == 30
    assert np.abs(example.motion).max() < 0.01
    short = clip_features(replace(clip, audio=clip.audio[:12_000]), OwnExtractor())
    assert len(short) == 22
    with pytest.raises(BadInput, match="no mode for the whole"):
        clip_features(clip, OwnExtractor(), whole=True)


def test_other_rates_are_between_the_frames(tmp_path: Path) -> None:
    motion_samples.vocaset(tmp_path)
    corpus = open_motion_corpus(tmp_path)
    clip = corpus.load(corpus.clips[0])
    ramp = np.repeat(np.arange(30, dtype=np.float32)[:, None], 21, axis=1)
    slow = resampled(replace(clip, motion=ramp), 25.0)
    assert slow.motion.shape == (25, 21)
    expected = (np.arange(25) + 0.5) / 25 * 30 - 0.5
    assert np.allclose(slow.motion[:, 0], expected, atol=1e-5)
    assert resampled(clip, 30.0) is clip


def test_stores_go_on_and_keep_encoders_apart(tmp_path: Path) -> None:
    motion_samples.vocaset(tmp_path)
    corpus = open_motion_corpus(tmp_path)
    store = FeatureStore(tmp_path / "kept", corpus, EncoderChoice())
    with pytest.raises(BadInput, match="lipstream corpus features"):
        store.read(corpus.clips[0])
    assert store.build(OwnExtractor(), corpus.clips[:2]) == 2
    again = FeatureStore(tmp_path / "kept", corpus, EncoderChoice())
    assert again.folder == store.folder
    assert again.build(OwnExtractor()) == 2
    example = again.read(corpus.clips[3])
    expected = clip_features(corpus.load(corpus.clips[3]), OwnExtractor())
    assert (example.name, example.subject, example.fps) == (
        expected.name,
        expected.subject,
        expected.fps,
    )
    assert np.array_equal(example.features, expected.features)
    assert example.template is not None
    assert FeatureStore(tmp_path / "kept", corpus, EncoderChoice(), fps=25).folder != store.folder


def test_the_command_keeps_features(tmp_path: Path) -> None:
    motion_samples.diffposetalk(tmp_path)
    arguments = ["features", str(tmp_path), "--out", str(tmp_path / "kept")]
    for new in (3, 0):
        result = CliRunner().invoke(corpus_app, arguments)
        assert result.exit_code == 0, result.output
        assert f"3 clips, {new} of them new" in result.output.replace("\n", " ")
    result = CliRunner().invoke(corpus_app, [*arguments, "--encoder", "mel"])
    assert isinstance(result.exception, BadInput)
