"""Arrays in few bytes for browsers: whole numbers of a step, regrouped so that they deflate well.

A table is written column by column, and the columns' bytes by their place in the number: all low
bytes, then all of the next, and so on. docs/splats.md describes it for readers.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PackedArrays"]

_MOST = np.iinfo(np.int16).max


class PackedArrays:
    """What a file holds, array after array; rows first, or one row's worth a line: `# [n, ...]`."""

    def __init__(self) -> None:
        self.directory: list[dict[str, Any]] = []
        """Of every array: name, type, shape, and step where it has one."""
        self._planes = bytearray()

    def steps(self, name: str, array: NDArray[Any], step: float) -> None:
        """Add numbers, to within half a step; a greater one where 16 bits reach no further."""
        step = max(step, float(np.abs(array).max(initial=0)) / _MOST)
        self._add(name, np.rint(array / step).astype("<i2"), step=step)

    def shares(self, name: str, array: NDArray[Any]) -> None:
        """Add numbers from 0 to 1, to within 1/510."""
        self._add(name, np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8), step=1 / 255)

    def halves(self, name: str, array: NDArray[Any]) -> None:
        """Add numbers of all sizes as IEEE 754 half precision, which GPUs take as it is."""
        self._add(name, array.astype("<f2"))

    def indices(self, name: str, array: NDArray[Any]) -> None:
        """Add whole numbers that are near to those before them in their column."""
        differences = np.diff(array.astype(np.int64), axis=0, prepend=0)
        self._add(name, differences.astype("<i4"))
        self.directory[-1]["type"] = "int32 differences"

    def deflated(self) -> bytes:
        """All of them as one zlib stream (RFC 1950)."""
        return zlib.compress(bytes(self._planes), 9)

    def __len__(self) -> int:
        """Bytes, inflated."""
        return len(self._planes)

    def _add(self, name: str, numbers: NDArray[Any], **more: float) -> None:
        columns = np.ascontiguousarray(numbers.reshape(len(numbers), -1).T)
        planes = columns.view(np.uint8).reshape(-1, numbers.itemsize).T
        self._planes += planes.tobytes()
        kind = numbers.dtype.name
        self.directory.append({"name": name, "type": kind, "shape": list(numbers.shape), **more})
