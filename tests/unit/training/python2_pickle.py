"""Pickles as Python 2 wrote them: text and raw data alike are its byte strings."""

from __future__ import annotations

import io
import pickle
import struct
from typing import Any

__all__ = ["dumps_python2"]

_Pickler: Any = pickle._Pickler


class _Python2Pickler(_Pickler):  # type: ignore[misc]
    dispatch = dict(_Pickler.dispatch)  # noqa: RUF012

    def save_text(self, text: str) -> None:
        self.save_raw(text.encode("latin1"))

    def save_raw(self, data: bytes) -> None:
        if len(data) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
        else:
            self.write(pickle.BINSTRING + struct.pack("<i", len(data)) + data)
        self.memoize(data)

    dispatch[str] = save_text
    dispatch[bytes] = save_raw


def dumps_python2(value: Any) -> bytes:
    """Protocol 2 with `BINSTRING` for text and for the data of arrays."""
    file = io.BytesIO()
    _Python2Pickler(file, protocol=2).dump(value)
    return file.getvalue()
