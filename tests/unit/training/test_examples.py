"""Training examples and their augmentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lipstream.audio.mel import log_mel
from lipstream.evaluation.contenders import from_labels
from lipstream.evaluation.lip_track import LipTrack
from lipstream.motion.controls import Control
from lipstream.motion.phones import SILENCE, SYMBOL_INDEX
from lipstream.training.augmentation import Acoustics, nonspeech, random_noise
from lipstream.training.dataset import cached_examples
from lipstream.training.examples import Example, Pool, make_example, nonspeech_example
from lipstream.training.spectral import SpectralAugmentation
from tests.unit.motion.spoken import spoken


def test_an_untouched_example_is_the_recording_itself() -> None:
    utterance = spoken()
    example = make_example(utterance, np.random.default_rng(0), None)
    mel = log_mel(utterance.waveform)[: 4 * len(example)]
    assert np.abs(example.mel.astype(np.float32) - mel).max() < 0.02
    derived = from_labels(utterance).jaw
    shown = LipTrack.from_controls(example.controls.astype(np.float32)).jaw
    count = min(len(derived), len(shown))
    assert np.abs(derived[:count] - shown[:count]).max() < 0.01


@pytest.mark.parametrize("seed", range(6))
def test_sound_and_targets_stay_aligned(seed: int) -> None:
    example = make_example(spoken(), np.random.default_rng(seed), Acoustics(noise=0, room=0))
    assert len(example.mel) == 4 * len(example)
    assert len(example.phones) == 2 * len(example)
    level = example.mel.astype(np.float32).mean(1).reshape(-1, 4).mean(1)
    speaking = example.phones.reshape(-1, 2)[:, 0] != SYMBOL_INDEX[SILENCE]
    assert level[speaking].mean() > level[~speaking].mean() + 2
    first_sound = int(np.flatnonzero(level > level.min() + 3)[0])
    assert abs(first_sound - int(np.flatnonzero(speaking)[0])) <= 3


def test_the_same_seed_makes_the_same_example() -> None:
    first, second = (
        make_example(spoken(), np.random.default_rng(5), Acoustics()) for _ in range(2)
    )
    assert np.array_equal(first.mel, second.mel)
    assert np.array_equal(first.controls, second.controls)


def test_sound_without_speech_has_a_resting_mouth() -> None:
    for seed in range(12):
        example = nonspeech_example(2.0, np.random.default_rng(seed))
        assert example.controls.max() == 0
        assert np.isfinite(example.mel).all()
        assert np.abs(nonspeech(1.0, np.random.default_rng(seed))).max() < 2


def test_noise_has_unit_power() -> None:
    for seed in range(8):
        assert random_noise(16_000, np.random.default_rng(seed)).std() == pytest.approx(1, 0.01)


def test_spectral_augmentation_keeps_shape_and_the_given_batch() -> None:
    torch.manual_seed(0)
    mel = torch.randn(6, 80, 80) - 6
    before = mel.clone()
    changed = SpectralAugmentation().apply(mel)
    assert changed.shape == mel.shape
    assert torch.equal(mel, before)
    assert torch.isfinite(changed).all()
    assert (changed - mel).abs().mean() > 0.3


def test_batches_pad_short_examples_with_quiet() -> None:
    short = make_example(spoken(), np.random.default_rng(0), None)
    batch = Pool([(1.0, [short])]).batch(np.random.default_rng(0), 2, len(short) + 50)
    assert batch.mel.shape == (2, 4 * (len(short) + 50), 80)
    assert batch.controls[:, len(short) :].max() == 0
    assert (batch.phones[:, 2 * len(short) :] == SYMBOL_INDEX[SILENCE]).all()
    assert (batch.mel[:, 4 * len(short) :] == batch.mel.min()).all()


def test_shares_decide_what_is_drawn() -> None:
    loud = Example(
        np.zeros((40, 80), np.float16), np.ones((10, 10), np.float16), np.zeros(20, np.uint8)
    )
    quiet = nonspeech_example(1.0, np.random.default_rng(0))
    pool = Pool([(0.25, [loud]), (0.75, [quiet])])
    batch = pool.batch(np.random.default_rng(0), 400, 10)
    assert np.mean(batch.controls[:, 0, Control.JAW] > 0) == pytest.approx(0.25, abs=0.07)


def test_examples_are_made_once(tmp_path: Path) -> None:
    made = []

    def make() -> list[Example]:
        made.append(1)
        return [nonspeech_example(s, np.random.default_rng(0)) for s in (1.0, 2.0)]

    first = cached_examples(tmp_path / "x.npz", make)
    second = cached_examples(tmp_path / "x.npz", make)
    assert len(made) == 1
    assert [len(e) for e in second] == [25, 50]
    assert np.array_equal(first[1].mel, second[1].mel)
