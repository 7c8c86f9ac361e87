"""Pauses of speech, sounds without speech, and how still a mouth is in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipstream.evaluation.pauses import pauses_s
from lipstream.evaluation.quiet_sounds import QUIET_SOUND_S, quiet_sounds
from lipstream.evaluation.rest import rest_score
from lipstream.evaluation.utterance import Utterance
from lipstream.face.arkit import INDEX
from lipstream.face.motion import Motion
from lipstream.motion.phones import Segment


def _utterance(levels: list[tuple[float, float, float]], segments: list[Segment]) -> Utterance:
    samples = np.zeros(5 * 16_000, np.int16)
    for start_s, end_s, level in levels:
        span = slice(int(start_s * 16_000), int(end_s * 16_000))
        samples[span] = np.round(level * 32767 * np.sin(np.arange(5 * 16_000)[span]))
    return Utterance("x", "x", samples, tuple(segments))


def test_pauses_are_the_inside_of_quiet_silences() -> None:
    segments = [Segment(0, 1, "aa"), Segment(1, 1.5, "sil"), Segment(1.5, 2, "sil"),
                Segment(2, 2.5, "m"), Segment(2.5, 3, "sil"), Segment(3, 3.5, "iy")]  # fmt: skip
    utterance = _utterance([(0, 1, 0.5), (2, 2.5, 0.5), (3, 3.5, 0.5)], segments)
    # 1 to 2 is one silence, 2.5 to 3 too short, and what follows the labels is silence as well.
    assert pauses_s(utterance) == [pytest.approx((1.3, 1.7)), pytest.approx((3.8, 4.7))]


def test_what_aligners_did_not_understand_is_no_pause() -> None:
    segments = [Segment(0, 1, "aa"), Segment(1, 5, "sil")]
    assert not pauses_s(_utterance([(0, 5, 0.5)], segments))
    assert not pauses_s(_utterance([], []))


def test_quiet_sounds_are_the_same_every_time() -> None:
    first, second = quiet_sounds(), quiet_sounds()
    assert list(first) == ["silence", "white noise", "pink noise", "hum", "music"]
    for name, sound in first.items():
        np.testing.assert_array_equal(sound, second[name])
        assert len(sound) == QUIET_SOUND_S * 16_000
        assert np.abs(sound).max() == pytest.approx(0 if name == "silence" else 0.2)


def test_residual_motion_is_the_mean_of_the_largest_weight() -> None:
    motion = Motion.rest(4)
    shapes = motion.blendshapes.copy()
    shapes[1, [INDEX["jawOpen"], INDEX["mouthPucker"]]] = 0.4, 0.2
    shapes[2, INDEX["mouthClose"]] = 0.01
    shapes[3, INDEX["eyeBlinkLeft"]] = 1  # no mouth
    score = rest_score(replace(motion, blendshapes=shapes))
    assert score.frames == 4
    assert score.moving_share == 0.25
    assert score.largest == pytest.approx(0.4)
    assert score.residual == pytest.approx(0.41 / 4)
