"""Which frame is drawn next, without any server."""

from __future__ import annotations

from lipstream.gateway.sessions.frame_buffer import FrameBuffer
from lipstream.gateway.sessions.motion_frame import MotionFrame
from lipstream.gateway.sessions.timeline import FRAME_US, LATE_US


def _buffer(count: int) -> FrameBuffer:
    buffer = FrameBuffer()
    buffer.add(MotionFrame(k * FRAME_US, b"", b"", b"", b"") for k in range(count))
    return buffer


def _given(buffer: FrameBuffer, ready_us: int) -> int:
    frame = buffer.next(ready_us)
    assert frame is not None
    return frame.pts_us // FRAME_US


def test_frames_that_can_be_on_time_are_given_one_after_the_other() -> None:
    buffer = _buffer(4)
    assert [_given(buffer, k * FRAME_US) for k in range(4)] == [0, 1, 2, 3]
    assert buffer.next(0) is None
    assert buffer.late_frames == 0


def test_a_frame_whose_picture_would_be_late_is_left_out_and_told_once() -> None:
    buffer = _buffer(5)
    assert _given(buffer, 0) == 0
    assert _given(buffer, 3 * FRAME_US) == 3
    assert (buffer.forget(0, watched=True), buffer.late_frames) == (2, 2)
    assert buffer.forget(LATE_US + FRAME_US, watched=True) == 0


def test_where_none_can_be_on_time_the_last_is_given() -> None:
    buffer = _buffer(3)
    assert _given(buffer, 9 * FRAME_US) == 2
    assert buffer.next(9 * FRAME_US) is None


def test_frames_long_past_are_dropped_and_count_where_somebody_looks() -> None:
    assert _buffer(5).forget(LATE_US + FRAME_US, watched=False) == 0
    buffer = _buffer(5)
    assert buffer.forget(LATE_US + FRAME_US, watched=True) == 2
    assert _given(buffer, 0) == 2


def test_after_a_restart_frames_are_given_again() -> None:
    buffer = _buffer(4)
    assert [_given(buffer, 0) for _ in range(4)] == [0, 1, 2, 3]
    buffer.restart(FRAME_US)
    assert _given(buffer, 0) == 2
