"""Controls of a face as messages of live streams, and back."""

from __future__ import annotations

from google.protobuf.json_format import MessageToDict, ParseDict

from lipstream.face.face_controls import FaceControls, Framing
from lipstream.v1 import motion_pb2, render_pb2

__all__ = ["pack_controls", "pack_framing", "unpack_controls", "unpack_framing"]


def pack_controls(controls: FaceControls) -> motion_pb2.FaceControls:
    """What concerns the motion stage: all but the framing."""
    document = controls.document()
    document.pop("framing", None)
    return ParseDict(document, motion_pb2.FaceControls())


def unpack_controls(message: motion_pb2.FaceControls) -> FaceControls:
    """
    Raises:
        BadInput: a name is unknown, or a number out of range.
    """
    return FaceControls.parse(MessageToDict(message, preserving_proto_field_name=True))


def pack_framing(framing: Framing) -> render_pb2.Framing:
    return render_pb2.Framing(zoom=framing.zoom, offset=framing.offset)


def unpack_framing(message: render_pb2.Framing) -> Framing:
    """
    Raises:
        BadInput: zoom or offset is out of range.
    """
    document = {"zoom": message.zoom or 1.0, "offset": message.offset}
    return FaceControls.parse({"framing": document}).framing
