"""Arrays as bytes and back: the form in which a session's state travels between replicas.

A header of JSON names each array with its type and shape; the raw values follow. Nothing in the
bytes is executed, and sizes are checked before memory is taken.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput

__all__ = ["pack", "unpack"]

_MAGIC = b"LSA1"
_TYPES = ("<f4", "<f8", "<i8", "|u1")


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays of float32, float64, int64 or uint8 in one piece of bytes."""
    header = []
    parts = []
    for name, array in arrays.items():
        if array.dtype.str not in _TYPES:
            raise TypeError(f"{name} has type {array.dtype}, which cannot be packed")
        header.append([name, array.dtype.str, list(array.shape)])
        parts.append(array.tobytes())
    text = json.dumps(header, separators=(",", ":")).encode()
    return b"".join([_MAGIC, struct.pack("<I", len(text)), text, *parts])


def unpack(data: bytes) -> dict[str, NDArray[Any]]:
    """Inverse of `pack`.

    Raises:
        BadInput: the bytes were not made by `pack`, or are cut short.
    """
    try:
        if data[:4] != _MAGIC:
            raise ValueError("unknown header")
        (size,) = struct.unpack_from("<I", data, 4)
        position = 8 + size
        arrays: dict[str, NDArray[Any]] = {}
        for name, dtype, shape in json.loads(data[8:position]):
            if dtype not in _TYPES or any(extent < 0 for extent in shape):
                raise ValueError(f"array {name} is of an unknown kind")
            count = math.prod(shape)
            end = position + count * np.dtype(dtype).itemsize
            if end > len(data):
                raise ValueError("cut short")
            values = np.frombuffer(data, dtype, count, position)
            arrays[name] = values.reshape(shape).copy()
            position = end
        if position != len(data):
            raise ValueError("bytes are left over")
    except (ValueError, TypeError, struct.error) as error:
        raise BadInput(f"This is no saved state: {error}.") from error
    return arrays
