"""The container of binary glTF 2.0: a JSON document and one buffer.

Khronos Group, "glTF 2.0 Specification", sections 3.6 (accessors) and 4.4 (GLB).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Buffer", "Target", "pack_glb"]

_MAGIC, _VERSION = 0x46546C67, 2
_JSON, _BIN = 0x4E4F534A, 0x004E4942
_ALIGNMENT = 4
_COMPONENTS = {"uint8": 5121, "uint32": 5125, "float32": 5126}
_TYPES = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}


class Target(IntEnum):
    """What a part of the buffer is to a mesh."""

    VERTICES = 34962
    INDICES = 34963


class Buffer:
    """What a document's accessors and images point into; grows as things are added."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, int]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, data: bytes, target: Target | None = None) -> int:
        """Add bytes; the index of their view. A mesh's say what they are for: `Target`."""
        place = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data)}
        self.views.append(place if target is None else {**place, "target": target})
        self.data += data + b"\0" * (-len(data) % _ALIGNMENT)
        return len(self.views) - 1

    def accessor(
        self, array: NDArray[Any], *, target: Target | None = None, bounds: bool = False
    ) -> int:
        """Add an array `# [count, ...]` of uint8, uint32 or float32; the index of its accessor.

        Matrices `# [count, 4, 4]` are given by columns.

        Args:
            bounds: also tell the least and the greatest, which positions and times need.
        """
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        accessor: dict[str, Any] = {
            "bufferView": self.view(little.tobytes(), target),
            "componentType": _COMPONENTS[array.dtype.name],
            "count": len(array),
            "type": _TYPES[array.shape[1:]],
        }
        if bounds:
            rows = array.reshape(len(array), -1)
            accessor |= {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def pack_glb(document: Mapping[str, Any], buffer: Buffer) -> bytes:
    """The file.

    Args:
        document: without `buffers`, `bufferViews` and `accessors`, which the buffer brings.
    """
    whole = {
        **document,
        "buffers": [{"byteLength": len(buffer.data)}],
        "bufferViews": buffer.views,
        "accessors": buffer.accessors,
    }
    text = json.dumps(whole, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    chunks = b"".join(
        struct.pack("<II", len(data), kind) + data
        for kind, data in ((_JSON, text), (_BIN, bytes(buffer.data)))
    )
    return struct.pack("<III", _MAGIC, _VERSION, 12 + len(chunks)) + chunks
