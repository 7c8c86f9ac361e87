"""What tells the weights of one ONNX file from those of another.

Only the weights count, so a file that is exported again with other metadata keeps its digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from lipstream.errors import Internal

__all__ = ["DIGEST", "weights_digest"]

DIGEST = "digest"
"""Parameter of a server's configuration that holds it, since clients do not see the file."""

# Numbers of fields in onnx.proto.
_GRAPH = 7
_INITIALIZER = 5
_LENGTH = 16


def weights_digest(path: Path) -> str:
    """Hexadecimal, 16 digits.

    Raises:
        Internal: the file is no ONNX model.
    """
    digest = hashlib.sha256()
    for graph in _parts(path.read_bytes(), _GRAPH):
        for tensor in _parts(graph, _INITIALIZER):
            digest.update(hashlib.sha256(tensor).digest())
    return digest.hexdigest()[:_LENGTH]


def _parts(message: bytes, number: int) -> Iterator[bytes]:
    """Fields of a message that is read without its schema: onnx is not needed to serve."""
    # Imported late, as all that only some commands need.
    from google.protobuf.empty_pb2 import Empty
    from google.protobuf.message import DecodeError
    from google.protobuf.unknown_fields import UnknownFieldSet

    try:
        fields = UnknownFieldSet(Empty.FromString(message))
    except DecodeError as error:
        raise Internal("A file is no ONNX model.", code="model_damaged") from error
    for place in range(len(fields)):
        field = fields[place]
        if field.field_number == number:
            yield bytes(field.data)
