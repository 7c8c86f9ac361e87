"""A session whose stages stand still, or are too slow."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipstream.gateway.sessions.timeline import FRAME_US, LATE_US
from tests.unit.gateway.sessions.slow_stages import RATE_HZ, SlowStages

_SECOND_US = 1_000_000
_MOST_UNANSWERED = 8
"""Pieces that stages may owe frames for."""


def _speech(seconds: float) -> bytes:
    """One sample after the other has another number, but for every 2 s."""
    return (1 + np.arange(int(seconds * RATE_HZ)) % 32_000).astype("<i2").tobytes()


def _check_order(session: SlowStages) -> None:
    """Frames and sound follow each other on one grid, and belong together."""
    for before, after in pairwise(session.frames):
        assert after.pts_us - before.pts_us >= FRAME_US
        assert (after.pts_us - before.pts_us) % FRAME_US == 0
    for (_, _, own), (_, _, following) in pairwise(session.heard):
        end_us = own.pts_us + len(own.samples) // 2 * _SECOND_US // RATE_HZ
        assert following.pts_us >= end_us - 1


def test_what_stages_on_time_make_is_never_delayed() -> None:
    session = SlowStages()
    session.run(_SECOND_US)
    session.timeline.utterances.add(_speech(2))
    session.timeline.utterances.end()
    session.run(5 * _SECOND_US)
    assert session.timeline.delayed_us == 0
    assert not session.timeline.behind
    assert all(frame.late_us < 0 for frame in session.frames)


def test_silence_lasts_longer_by_what_the_stages_stood_still() -> None:
    session = SlowStages(still=((_SECOND_US, 3 * _SECOND_US),))
    session.run(2 * _SECOND_US)
    assert session.timeline.behind
    session.run(6 * _SECOND_US)
    assert session.most_unanswered <= _MOST_UNANSWERED
    assert session.timeline.delayed_us == pytest.approx(2 * _SECOND_US, abs=5 * FRAME_US)
    # From the first that comes again, each is on time.
    assert all(frame.late_us <= 0 for frame in session.frames)
    shown = session.since(3 * _SECOND_US)
    assert shown[0].pts_us <= 3 * _SECOND_US + 2 * FRAME_US
    assert len(shown) == pytest.approx(75, abs=4)
    _check_order(session)
    session.run(30 * _SECOND_US)
    assert not session.timeline.behind


def test_speech_pauses_until_the_stages_have_caught_up_and_no_sample_is_lost() -> None:
    said = _speech(4)
    session = SlowStages(still=((2 * _SECOND_US, 4 * _SECOND_US),))
    session.run(_SECOND_US)
    session.timeline.utterances.add(said)
    session.timeline.utterances.end()
    session.run(9 * _SECOND_US)
    assert b"".join(own.samples for _, _, own in session.heard) == said
    assert session.most_unanswered <= _MOST_UNANSWERED
    assert all(own.pts_us >= handed_us for handed_us, _, own in session.heard)
    _check_order(session)
    (paused_us,) = (
        after.pts_us
        for (_, _, before), (_, _, after) in pairwise(session.heard)
        if after.pts_us - before.pts_us > 2 * FRAME_US
    )
    assert paused_us < 4 * _SECOND_US + 500_000
    # What is heard from there on is seen, on time, at the same distance.
    again = session.since(paused_us)
    assert len(again) > 50
    assert all(frame.late_us < 0 for frame in again)
    (frame_delay_us,) = {frame.pts_us - frame.stage_us for frame in again}
    sound_delays_us = {
        own.pts_us - stage_us for _, stage_us, own in session.heard if own.pts_us >= paused_us
    }
    assert frame_delay_us in sound_delays_us
    (finished,) = session.timeline.finished(9 * _SECOND_US)
    assert (finished.position_us, finished.interrupted) == (4 * _SECOND_US, False)


def test_a_short_stop_makes_no_pause_in_speech() -> None:
    session = SlowStages(still=((2 * _SECOND_US, 2 * _SECOND_US + 200_000),))
    session.run(_SECOND_US)
    session.timeline.utterances.add(_speech(3))
    session.run(4 * _SECOND_US)
    assert session.timeline.delayed_us == 0
    assert len(session.heard) == 75


@pytest.mark.parametrize(("spoken", "on_time"), [(False, 0.95), (True, 0.6)])
def test_stages_that_are_too_slow_for_good_still_give_pictures(
    spoken: bool, on_time: float
) -> None:
    session = SlowStages(takes_us=50_000)
    if spoken:
        session.timeline.utterances.add(_speech(60))
    session.run(20 * _SECOND_US)
    assert session.most_unanswered <= _MOST_UNANSWERED
    shown = [frame for frame in session.frames if frame.late_us < LATE_US]
    assert len(shown) >= on_time * len(session.frames)
    assert len(session.frames) > 350
    assert session.timeline.behind
    _check_order(session)


def test_pictures_that_take_longer_are_on_time_with_more_lead() -> None:
    session = SlowStages(takes_us=20_000)
    session.run(_SECOND_US)
    for frame in session.frames:
        session.timeline.shown(frame.pts_us, frame.pts_us + FRAME_US + 1)
    before_us = min(-frame.late_us for frame in session.frames)
    known = len(session.frames)
    session.run(2 * _SECOND_US)
    assert min(-frame.late_us for frame in session.frames[known + 10 :]) >= before_us + FRAME_US


@pytest.mark.parametrize("latency_us", [160_000, 400_000])
def test_what_a_speech_encoder_waits_for_is_no_lateness(latency_us: int) -> None:
    session = SlowStages(latency_us=latency_us)
    session.run(_SECOND_US)
    delayed_us = session.timeline.delayed_us
    session.timeline.utterances.add(_speech(1))
    session.timeline.utterances.end()
    session.run(5 * _SECOND_US)
    assert session.timeline.delayed_us == delayed_us <= latency_us
    assert all(frame.late_us < 0 for frame in session.since(_SECOND_US))


def test_an_interrupt_in_a_pause_ends_what_was_heard_there() -> None:
    session = SlowStages(still=((2 * _SECOND_US, 4 * _SECOND_US),))
    session.run(_SECOND_US)
    session.timeline.utterances.add(_speech(10))
    session.run(3 * _SECOND_US)
    heard_us = session.heard[-1][2].pts_us + FRAME_US - session.heard[0][2].pts_us
    (dropped,) = session.timeline.interrupt(session.now_us)
    assert dropped.position_us == heard_us
    session.run(6 * _SECOND_US)
    session.timeline.utterances.add(_speech(1))
    session.run(8 * _SECOND_US)
    assert all(frame.late_us <= 0 for frame in session.since(4 * _SECOND_US + 500_000))
    assert session.heard[-1][2].pts_us > 6 * _SECOND_US


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6000), st.integers(1, 1500)), max_size=4),
    st.lists(st.tuples(st.integers(0, 6000), st.integers(1, 1000)), max_size=4),
    st.integers(2, 39),
    st.integers(0, 20),
)
def test_whatever_stands_still_all_is_heard_once_and_seen_again(
    stops_ms: list[tuple[int, int]],
    turns_ms: list[tuple[int, int]],
    takes_ms: int,
    latency_steps: int,
) -> None:
    still = sorted((1000 * from_ms, 1000 * (from_ms + for_ms)) for from_ms, for_ms in stops_ms)
    session = SlowStages(1000 * takes_ms, 20_000 * latency_steps, tuple(still))
    said = b""
    for at_ms, for_ms in sorted(turns_ms):
        session.run(1000 * at_ms)
        said += (turn := _speech(for_ms / 1000))
        session.timeline.utterances.add(turn)
        session.timeline.utterances.end()
    session.run(30 * _SECOND_US)
    assert b"".join(own.samples for _, _, own in session.heard) == said
    assert all(own.pts_us >= handed_us for handed_us, _, own in session.heard)
    _check_order(session)
    last = session.since(29 * _SECOND_US)
    assert len(last) >= 25
    assert all(frame.late_us <= 0 for frame in last)
    assert len(list(session.timeline.finished(30 * _SECOND_US))) == len(turns_ms)
