"""Agreement of curves, motion at other rates, and examples of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipstream.errors import BadInput
from lipstream.evaluation.curve_agreement import CurvePair, curve_agreement
from lipstream.evaluation.curve_example import labelled_example
from lipstream.evaluation.lip_track import LipTrack
from lipstream.evaluation.retimed import blendshapes_at
from lipstream.face.arkit import INDEX
from lipstream.face.motion import Floats, Motion
from lipstream.motion.phones import Segment


def _speech(fps: float, late_s: float = 0.0) -> Floats:
    times_s = np.arange(int(8 * fps)) / fps - late_s
    return np.asarray(np.sin(7.1 * times_s) + np.sin(11.3 * times_s), np.float32)


@given(st.floats(0.1, 10), st.floats(-5, 5), st.sampled_from([25.0, 30.0, 60.0]))
def test_scale_and_offset_leave_the_correlation(scale: float, offset: float, fps: float) -> None:
    curve = _speech(fps)
    result = curve_agreement([CurvePair(scale * curve + offset, curve, fps)])
    assert result.r == pytest.approx(1, abs=1e-4)
    assert result.best_lag_ms == 0
    assert result.amplitude == pytest.approx(scale, rel=1e-3)


def test_a_late_curve_has_its_lag_named() -> None:
    pair = CurvePair(_speech(30.0, late_s=0.12), _speech(30.0), 30.0)
    assert curve_agreement([pair, pair]).best_lag_ms == pytest.approx(120, abs=10)
    early = CurvePair(pair.recorded, pair.predicted, 30.0)
    assert curve_agreement([early]).best_lag_ms == pytest.approx(-120, abs=10)


def test_a_still_prediction_follows_nothing() -> None:
    result = curve_agreement([CurvePair(np.full(240, 3.0, np.float32), _speech(30.0), 30.0)])
    assert np.isnan(result.r)
    assert np.isnan(result.best_lag_ms)
    assert result.amplitude == pytest.approx(0, abs=1e-6)
    assert np.isnan(curve_agreement([CurvePair(_speech(30.0)[:9], _speech(30.0)[:9], 30.0)]).r)


def test_weights_are_linear_between_frames_and_stay_at_the_end() -> None:
    motion = Motion.rest(3, 25.0)
    shapes = motion.blendshapes.copy()
    shapes[:, INDEX["jawOpen"]] = (0, 0.5, 1)
    motion = replace(motion, blendshapes=shapes)
    finer = blendshapes_at(motion, 7, 50.0)[:, INDEX["jawOpen"]]
    assert finer.tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1, 1])
    assert blendshapes_at(motion, 3, 25.0) is motion.blendshapes
    with pytest.raises(BadInput, match="without frames"):
        blendshapes_at(Motion.rest(0), 3, 25.0)


def test_an_example_begins_with_the_speech() -> None:
    motion = Motion.rest(250)
    segments = [Segment(0, 1, "sil"), Segment(1, 1.1, "m"), Segment(1.1, 9, "aa"),
                Segment(9, 9.1, "p")]  # fmt: skip
    example = labelled_example("x", segments, {"labels": LipTrack.from_motion(motion)})
    assert example.start_s == pytest.approx(0.85)
    assert [mark.symbol for mark in example.marks] == ["m"]
    assert len(example.curves["labels"]) == 400
