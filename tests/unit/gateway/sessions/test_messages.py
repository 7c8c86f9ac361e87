"""What passes over a session's socket."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipstream.errors import BadInput
from lipstream.face.arkit import BLENDSHAPES
from lipstream.gateway.sessions.client_messages import SetControls, Speak, parse_message
from lipstream.gateway.sessions.connection import Connection
from lipstream.gateway.sessions.motion_frame import frames_of, mouth_columns
from lipstream.v1 import common_pb2
from lipstream.wire.live_media import MediaKind, MediaMessage


@given(
    st.sampled_from(MediaKind),
    st.integers(0, 2**32 - 1),
    st.integers(-(2**62), 2**62),
    st.binary(max_size=100),
    st.booleans(),
    st.booleans(),
)
def test_media_survives_the_wire(
    kind: MediaKind, epoch: int, pts_us: int, payload: bytes, keyframe: bool, alpha: bool
) -> None:
    message = MediaMessage(kind, epoch, pts_us, payload, keyframe, alpha)
    assert MediaMessage.decode(message.encode()) == message


@given(st.binary(max_size=40))
def test_garbage_is_no_media(data: bytes) -> None:
    try:
        message = MediaMessage.decode(data)
    except BadInput:
        return
    assert message.kind in MediaKind


@given(
    st.text(max_size=60)
    | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(json.dumps)
)
def test_any_text_is_a_message_or_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_message(text)


def test_speech_comes_as_samples_or_as_text() -> None:
    samples = parse_message('{"type": "agent.speak", "audio": "AQACAA=="}')
    assert isinstance(samples, Speak)
    assert samples.audio == b"\x01\x00\x02\x00"
    for wrong in (
        '{"type": "agent.speak"}',
        '{"type": "agent.speak", "text": "a", "audio": "AA=="}',
    ):
        with pytest.raises(BadInput, match="either"):
            parse_message(wrong)


def test_controls_are_checked() -> None:
    said = parse_message('{"type": "session.controls", "controls": {"emotion": {"joy": 0.5}}}')
    assert isinstance(said, SetControls)
    assert said.controls.emotion[0].weights == {"joy": 0.5}
    for wrong, why in (
        ('{"emotion": {"happiness": 1}}', "no emotion 'happiness'"),
        ('{"head_motion": 3}', "head_motion"),
        ('{"framing": {"zoom": 2}}', "session.output"),
    ):
        with pytest.raises(BadInput, match=why):
            parse_message(f'{{"type": "session.controls", "controls": {wrong}}}')


def test_a_client_that_never_reads_costs_no_more_than_the_limit() -> None:
    connection = Connection()
    for _ in range(100):
        connection.put(MediaMessage(MediaKind.VIDEO, 0, 0, bytes(100_000)))
    assert connection.failure is not None
    assert connection._queue.qsize() == 1  # nothing but the end


def test_easing_touches_the_mouth_alone() -> None:
    columns = mouth_columns(BLENDSHAPES)
    ones = common_pb2.MotionFrames(
        blendshapes=b"\x00\x00\x80?" * 52,
        rotation=b"\x00\x00\x80?" * 3,
        translation=bytes(12),
        gaze=bytes(16),
    )
    (frame,) = frames_of(ones, 0, 40_000)
    eased = memoryview(frame.eased(0.25, columns).blendshapes).cast("f")
    names = {BLENDSHAPES[k] for k, weight in enumerate(eased) if weight == 0.25}
    assert {"jawOpen", "mouthClose", "tongueOut"} < names
    assert not {name for name in names if name.startswith(("eye", "brow", "cheek", "nose"))}
    assert frame.eased(1.0, columns) is frame
