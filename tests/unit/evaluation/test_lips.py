"""The metrics: a right mouth scores well, wrong ones badly in the figure that is about it."""

from __future__ import annotations

import numpy as np
import pytest

from lipstream.errors import BadInput
from lipstream.evaluation.contenders import from_labels, from_loudness
from lipstream.evaluation.lip_track import RATE_HZ, LipTrack
from lipstream.evaluation.lips import LipScore, Scored, score
from lipstream.face.motion import Floats, Motion
from lipstream.motion.articulation import articulate
from lipstream.motion.controls import Control, to_blendshapes
from tests.unit.motion.spoken import SENTENCES, spoken


def _controls(text: str) -> Floats:
    utterance = spoken(text)
    return articulate(utterance.segments, utterance.duration_s, samples=utterance.waveform)


def _score(change: object = None) -> LipScore:
    items = []
    for text in SENTENCES:
        controls = _controls(text)
        if callable(change):
            controls = change(controls)
        reference = from_labels(spoken(text))
        items.append(Scored(LipTrack.from_controls(controls), reference, spoken(text).segments))
    return score(items)


def test_the_reference_scores_full_marks() -> None:
    result = _score()
    assert result.pbm_count >= 10
    assert result.pbm_closed == result.fv_tucked == result.tongue_seen == 1
    assert result.tongue_elsewhere == 0
    assert result.closed_elsewhere == result.closed_on_open_vowels == 0
    assert min(result.aperture_r, result.rounding_r, result.jaw_r) > 0.999
    assert result.best_lag_ms == 0
    assert abs(result.closure_offset_ms) <= 15
    assert result.rounded_narrower > 0.95


def test_a_late_mouth_has_its_lag_named() -> None:
    def late(controls: Floats) -> Floats:
        return np.concatenate([np.zeros((3, controls.shape[1]), np.float32), controls[:-3]])

    result = _score(late)
    assert result.best_lag_ms == 120
    assert result.aperture_r < 0.5


def test_lips_that_never_shut_close_on_nothing() -> None:
    def open_lips(controls: Floats) -> Floats:
        controls = controls.copy()
        controls[:, Control.CLOSE] = 0
        controls[:, Control.JAW] += 0.1
        return controls

    assert _score(open_lips).pbm_closed == 0


def test_lips_that_stay_shut_are_caught_elsewhere() -> None:
    result = _score(lambda controls: np.zeros_like(controls))
    assert result.pbm_closed == 1
    assert result.closed_elsewhere == result.closed_on_open_vowels == 1
    assert result.closed_on_other_consonants == 1


def test_blendshapes_are_read_as_the_controls_they_came_from() -> None:
    controls = _controls(SENTENCES[1])
    count = len(controls)
    motion = Motion.rest(count)
    shown = Motion(to_blendshapes(controls), motion.rotation, motion.translation, motion.gaze)
    direct, read = LipTrack.from_controls(controls), LipTrack.from_motion(shown)
    assert len(direct) == len(read) == count * RATE_HZ // 25
    assert np.corrcoef(direct.aperture, read.aperture)[0, 1] > 0.98
    assert np.abs((direct.aperture < 0.05) ^ (read.aperture < 0.05)).mean() < 0.03
    assert np.corrcoef(direct.width, read.width)[0, 1] > 0.95
    assert np.abs(direct.tuck - read.tuck).max() < 0.05
    assert ((direct.tongue > 0.2) ^ (read.tongue > 0.2)).mean() < 0.03


def test_a_tongue_that_never_moves_is_not_seen() -> None:
    def still(controls: Floats) -> Floats:
        controls = controls.copy()
        controls[:, Control.TONGUE] = 0
        return controls

    assert _score(still).tongue_seen == 0


def test_loudness_alone_neither_rounds_nor_tucks() -> None:
    items = [
        Scored(from_loudness(spoken(t)), from_labels(spoken(t)), spoken(t).segments)
        for t in SENTENCES
    ]
    result = score(items)
    assert result.fv_tucked == 0
    assert result.rounded_narrower == 0.5
    assert result.aperture_r < 0.8


def test_nothing_to_score_is_said() -> None:
    with pytest.raises(BadInput, match="no labelled speech"):
        score([])
