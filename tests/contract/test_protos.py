"""Promises of the gRPC interface that its users and other replicas rely on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from lipstream.face.arkit import BLENDSHAPE_COUNT
from lipstream.pipeline import STAGES
from lipstream.v1 import audio_pb2, avatar_pb2, common_pb2, motion_pb2, render_pb2
from lipstream.wire.tensors import MOTION_WIDTHS

_MODULES = (audio_pb2, motion_pb2, render_pb2, avatar_pb2)
_ROOT = Path(__file__).resolve().parents[2]
_LIVE = ("Extract", "Synthesize", "Generate", "Render")


def _live_messages() -> list[Descriptor]:
    methods = [
        method
        for module in _MODULES
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if method.name in _LIVE
    ]
    return [message for m in methods for message in (m.input_type, m.output_type)]


@pytest.mark.parametrize("message", _live_messages(), ids=lambda message: str(message.name))
def test_every_live_message_has_session_epoch_and_time(message: Descriptor) -> None:
    field = message.fields_by_number[1]
    assert field.name == "header"
    assert field.message_type is common_pb2.LiveHeader.DESCRIPTOR
    header = {f.name: (f.number, f.type) for f in common_pb2.LiveHeader.DESCRIPTOR.fields}
    assert header == {
        "session_id": (1, FieldDescriptor.TYPE_STRING),
        "epoch": (2, FieldDescriptor.TYPE_UINT64),
        "pts_us": (3, FieldDescriptor.TYPE_INT64),
        "traceparent": (4, FieldDescriptor.TYPE_STRING),
    }


@pytest.mark.parametrize("name", ["Extract", "Generate", "Render"])
def test_live_stages_stream_both_ways_and_can_end_and_interrupt(name: str) -> None:
    messages = {m.name: m for m in _live_messages()}
    for kind in ("Request", "Response"):
        fields = messages[name + kind].fields_by_name
        assert fields["end"].message_type is common_pb2.EndOfUtterance.DESCRIPTOR
        assert fields["interrupt"].message_type is common_pb2.Interrupt.DESCRIPTOR
    assert messages[name + "Request"].fields_by_number[2].name == "config"


def test_each_stage_has_one_service() -> None:
    services = {s.full_name for m in _MODULES for s in m.DESCRIPTOR.services_by_name.values()}
    assert services == {f"lipstream.v1.{stage.name.title()}Service" for stage in STAGES}


def test_motion_on_the_wire_is_the_motion_inside() -> None:
    assert {f.name for f in common_pb2.MotionFrames.DESCRIPTOR.fields} == set(MOTION_WIDTHS)
    assert MOTION_WIDTHS["blendshapes"] == BLENDSHAPE_COUNT


def test_an_audio_request_is_encoded_as_it_always_was() -> None:
    """Field numbers are for ever; these bytes were written by the first release."""
    request = audio_pb2.ExtractRequest(
        header=common_pb2.LiveHeader(session_id="s", epoch=2, pts_us=40_000),
        audio=audio_pb2.AudioChunk(samples=b"\1\2"),
    )
    assert request.SerializeToString().hex() == "0a090a0173100218c0b8021a040a020102"


def test_the_stubs_are_those_of_the_protos() -> None:
    script = _ROOT / "protos" / "generate.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
