"""Lips that are shut, or are not, from the chance that they are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lipstream.face.motion import Floats
from lipstream.motion.controls import CONTROL_COUNT, EVENTS, Control
from lipstream.motion.events import frames_before, sharpened

_REST = np.zeros(CONTROL_COUNT, np.float32)
_NOTHING = np.zeros((12, len(EVENTS)), np.float32)
_CHANCES = arrays(np.float32, (12, CONTROL_COUNT), elements=st.floats(0, 1, width=32))


def _closing(chances: list[float], *, foreseen: bool = True) -> list[float]:
    """The decided closure over frames of such chances."""
    controls = np.zeros((len(chances), CONTROL_COUNT), np.float32)
    controls[:, Control.CLOSE] = chances
    coming = np.zeros((len(chances), len(EVENTS)), np.float32)
    if foreseen:
        coming[:-1] = controls[1:, EVENTS]
    decided = sharpened(controls, frames_before(controls, _REST), coming)
    return [float(value) for value in decided[:, Control.CLOSE]]


def test_a_likely_closure_is_complete_and_an_unlikely_one_absent() -> None:
    assert _closing([0.97, 0.96, 0.1, 0.05]) == [1, 1, 0, 0]


def test_a_closure_whose_time_is_unsure_shuts_as_it_rises_and_parts_when_it_fades() -> None:
    assert _closing([0.02, 0.4, 0.35, 0.1]) == [0, 1, 0, 0]
    assert _closing([0.02, 0.4, 0.5, 0.3]) == [0, 1, 1, 0]


def test_a_rising_closure_waits_for_a_frame_that_promises_much_more() -> None:
    assert _closing([0.02, 0.3, 0.8, 0.2]) == [0, 0, 1, 0]
    assert _closing([0.02, 0.3, 0.8, 0.2], foreseen=False) == [0, 1, 1, 0]


def test_a_tongue_shows_the_further_the_surer_it_is() -> None:
    controls = np.zeros((4, CONTROL_COUNT), np.float32)
    controls[:, Control.TONGUE] = 0.1, 0.4, 0.55, 0.95
    shown = sharpened(controls, frames_before(controls, _REST), _NOTHING[:4])[:, Control.TONGUE]
    assert shown[0] == 0 < shown[1] < shown[2] < shown[3] == 1


@given(_CHANCES)
def test_only_events_are_decided_and_all_stay_in_range(controls: Floats) -> None:
    decided = sharpened(controls, frames_before(controls, _REST), _NOTHING)
    rest = [control for control in Control if control not in EVENTS]
    assert np.array_equal(decided[:, rest], controls[:, rest])
    assert decided.min() >= 0
    assert decided.max() <= 1


@given(_CHANCES, st.integers(1, 11))
def test_chunks_decide_as_the_whole_does(controls: Floats, cut: int) -> None:
    coming = np.roll(controls, -1, axis=0)[:, EVENTS]
    whole = sharpened(controls, frames_before(controls, _REST), coming)
    first = sharpened(controls[:cut], frames_before(controls[:cut], _REST), coming[:cut])
    second = sharpened(
        controls[cut:], frames_before(controls[cut:], controls[cut - 1]), coming[cut:]
    )
    assert np.array_equal(np.concatenate([first, second]), whole)
