"""The clock of a session, without any server."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipstream.audio.live_samples import LiveSamples, SavedSamples
from lipstream.audio.pcm import SAMPLE_RATE_HZ
from lipstream.errors import BadInput, TooLarge
from lipstream.gateway.sessions.mouth_ease import MouthEase
from lipstream.gateway.sessions.session_clock import on_the_grid
from lipstream.gateway.sessions.timeline import FRAME_US, Piece, Timeline
from lipstream.gateway.sessions.utterances import Utterances

_RATE_HZ = 16_000
_PIECE = _RATE_HZ * FRAME_US // 1_000_000
_LOOK_AHEAD_US = 80_000


def _timeline() -> Timeline:
    return Timeline(_RATE_HZ, _LOOK_AHEAD_US)


def _samples(count: int, value: int = 1) -> bytes:
    return bytes([value, 0]) * count


def _due(timeline: Timeline) -> int:
    due_us = timeline.due_us()
    assert due_us is not None
    return due_us


def _next(timeline: Timeline, now_us: int) -> Piece:
    """The next piece, which the stages answer at once."""
    piece = timeline.next_piece(now_us)
    frame_us = (timeline.fed_us - _LOOK_AHEAD_US) // FRAME_US * FRAME_US
    if frame_us >= 0:
        timeline.moved(frame_us, 1, now_us)
    return piece


def _played(timeline: Timeline, until_us: int, now_us: int = 0) -> list[Piece]:
    """All pieces that are due by then, each as soon as it is."""
    pieces = []
    while (due_us := _due(timeline)) <= until_us:
        now_us = max(now_us, due_us)
        pieces.append(_next(timeline, now_us))
    return pieces


def test_silence_runs_a_little_ahead_and_speech_a_little_further() -> None:
    timeline = _timeline()
    _played(timeline, 1_000_000)
    silent_us = timeline.fed_us - 1_000_000
    timeline.utterances.add(_samples(10 * _RATE_HZ))
    _played(timeline, 2_000_000, 1_000_000)
    spoken_us = timeline.fed_us - 2_000_000
    assert _LOOK_AHEAD_US < silent_us <= _LOOK_AHEAD_US + 3 * FRAME_US
    assert silent_us + 2 * FRAME_US < spoken_us <= _LOOK_AHEAD_US + 6 * FRAME_US


@pytest.mark.parametrize("now_us", [980_000, 1_000_000, 1_019_999])
def test_speech_begins_at_once_and_gains_its_lead_with_pauses(now_us: int) -> None:
    timeline = _timeline()
    _played(timeline, now_us)
    timeline.utterances.add(_samples(10 * _RATE_HZ))
    (first,) = _played(timeline, now_us, now_us)
    assert [own.utterance for own in first.started] == [1]
    for pauses in range(2, 6):
        assert _due(timeline) == now_us + pauses * FRAME_US // 2
        _next(timeline, _due(timeline))


def test_speech_that_opens_a_session_begins_before_playback_does() -> None:
    silent, spoken = _timeline(), _timeline()
    spoken.utterances.add(_samples(10 * _RATE_HZ))
    assert _due(spoken) < _due(silent) - 2 * FRAME_US


def test_nothing_pauses_before_the_first_frame_of_a_session_can_be_made() -> None:
    now_us = -4 * FRAME_US
    timeline = _timeline()
    timeline.utterances.add(_samples(10 * _RATE_HZ))
    while timeline.fed_us < _LOOK_AHEAD_US:
        assert _due(timeline) <= now_us
        _next(timeline, now_us)
    assert _due(timeline) == now_us + FRAME_US
    _next(timeline, now_us + FRAME_US)
    assert _due(timeline) == now_us + FRAME_US + FRAME_US // 2


def test_what_is_late_is_handed_on_without_pauses() -> None:
    timeline = _timeline()
    _played(timeline, 1_000_000)
    assert len(_played(timeline, 1_090_000, 1_090_000)) in (2, 3)
    assert timeline.delayed_us == 0


def test_what_would_be_heard_too_late_is_heard_later() -> None:
    timeline = _timeline()
    _played(timeline, 1_000_000)
    timeline.utterances.add(_samples(10 * _RATE_HZ))
    fed_us = timeline.fed_us
    piece = _next(timeline, 2_000_000)
    assert piece.pts_us == piece.heard[0].pts_us == fed_us + timeline.delayed_us
    assert 2_000_000 < piece.pts_us < 2_000_000 + _LOOK_AHEAD_US + 5 * FRAME_US
    assert timeline.behind


def test_every_piece_completes_a_frame_of_motion() -> None:
    rate_hz = 24_000
    timeline = Timeline(rate_hz, _LOOK_AHEAD_US)
    heard = LiveSamples(rate_hz, SavedSamples.initial())
    frame = SAMPLE_RATE_HZ * FRAME_US // 1_000_000
    complete = 0
    for number, piece in enumerate(_played(timeline, 1_000_000), 1):
        complete += heard.push(np.frombuffer(piece.samples, "<i2").astype(np.float32)).size
        assert complete // frame == number


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=8),
    st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_every_sample_is_heard_once_in_order_and_in_time(
    counts: list[int], ends: list[bool]
) -> None:
    timeline, said = _timeline(), b""
    for number, (count, end) in enumerate(zip(counts, ends, strict=False)):
        samples = _samples(count, number + 1)
        timeline.utterances.add(samples)
        said += samples
        if end:
            timeline.utterances.end()
    timeline.utterances.end()
    pieces = _played(timeline, 5_000_000)
    heard = [own for piece in pieces for own in piece.heard]
    assert b"".join(own.samples for own in heard) == said
    assert all(len(piece.samples) == 2 * _PIECE for piece in pieces[1:])
    assert (np.diff([piece.pts_us for piece in pieces[1:]]) == FRAME_US).all()
    lasted_us = len(pieces[0].samples) // 2 * 1_000_000 // _RATE_HZ
    assert (pieces[0].pts_us, pieces[1].pts_us) == (0, lasted_us)
    for piece in pieces:
        for own in piece.heard:
            first = (own.pts_us - piece.pts_us) * _RATE_HZ // 1_000_000
            place = 2 * round(first)
            # Where the client is told that it is heard, there the model hears it.
            assert abs(piece.samples.find(own.samples[:2], max(place - 2, 0)) - place) <= 2
    finished = list(timeline.finished(6_000_000))
    started = [event for piece in pieces for event in piece.started]
    assert [event.utterance for event in started] == [event.utterance for event in finished]
    assert not any(event.interrupted for event in finished)
    total_us = sum(event.position_us for event in finished)
    assert total_us == pytest.approx(len(said) // 2 * 1e6 / _RATE_HZ, abs=3 * len(finished))


def test_speech_that_comes_too_slowly_is_continued_when_it_comes() -> None:
    timeline = _timeline()
    timeline.utterances.add(_samples(100))
    first = [own for piece in _played(timeline, 400_000) for own in piece.heard]
    timeline.utterances.add(_samples(100, 2))
    timeline.utterances.end()
    second = [own for piece in _played(timeline, 800_000) for own in piece.heard]
    assert [len(own.samples) for own in first + second] == [200, 200]
    assert second[0].pts_us > first[0].pts_us + FRAME_US
    assert len(list(timeline.finished(1_000_000))) == 1


def test_an_interrupt_finishes_each_utterance_once_where_it_was() -> None:
    timeline = _timeline()
    for _ in range(3):
        timeline.utterances.add(_samples(_RATE_HZ))
        timeline.utterances.end()
    _played(timeline, 1_500_000)
    assert [event.utterance for event in timeline.finished(1_500_000)] == [1]
    dropped = timeline.interrupt(1_500_000)
    assert [event.utterance for event in dropped] == [2, 3]
    assert all(event.interrupted for event in dropped)
    assert dropped[0].position_us == pytest.approx(500_000, abs=FRAME_US)
    assert dropped[1].position_us == 0
    assert not timeline.speaking
    assert not [own for piece in _played(timeline, 3_000_000) for own in piece.heard]
    assert not list(timeline.finished(3_000_000))


def test_an_utterance_that_is_ended_late_is_finished() -> None:
    timeline = _timeline()
    timeline.utterances.add(_samples(2 * _PIECE))
    _played(timeline, 2_000_000)
    assert not list(timeline.finished(2_000_000))
    timeline.utterances.end()
    timeline.settle()
    (finished,) = timeline.finished(2_000_000)
    assert finished.position_us == 2 * FRAME_US


def test_too_much_and_half_samples_are_refused_and_nothing_is_kept() -> None:
    utterances = Utterances(_RATE_HZ, 1.0)
    with pytest.raises(BadInput, match="whole number"):
        utterances.add(b"odd")
    utterances.add(_samples(_RATE_HZ))
    with pytest.raises(TooLarge, match="1 s"):
        utterances.add(_samples(1))
    assert utterances.waiting_samples == _RATE_HZ


def test_the_mouth_eases_to_rest_and_moves_again_with_new_speech() -> None:
    mouth = MouthEase()
    assert mouth.factor(0) == 1
    mouth.interrupt(1_000_000, 1_400_000)
    falling = [mouth.factor(1_000_000 + FRAME_US * k) for k in range(5)]
    assert falling == pytest.approx([1, 2 / 3, 1 / 3, 0, 0])
    assert mouth.factor(1_500_000) == 0
    mouth.speech_begins(1_600_000)
    assert mouth.factor(1_520_000) == 0
    assert mouth.factor(1_560_000) == pytest.approx(0.5)
    assert mouth.factor(1_600_000) == 1
    mouth.interrupt(1_620_000, 1_900_000)
    assert mouth.factor(1_640_000) == pytest.approx(5 / 6)
    assert mouth.factor(9_000_000) == 1


def test_interrupted_twice_it_stays_at_rest() -> None:
    mouth = MouthEase()
    mouth.interrupt(1_000_000, 1_400_000)
    mouth.interrupt(1_200_000, 1_400_000)
    assert mouth.factor(1_200_000) == 0


def test_clocks_begin_on_one_grid() -> None:
    moments_s = [1_000.001 + 0.013 * k for k in range(20)]
    begun_s = [on_the_grid(moment_s) for moment_s in moments_s]
    for begin_s, moment_s in zip(begun_s, moments_s, strict=True):
        assert 0 <= begin_s - moment_s < FRAME_US / 1e6
        frames = (begin_s - begun_s[0]) / (FRAME_US / 1e6)
        assert frames == pytest.approx(round(frames), abs=1e-6)
