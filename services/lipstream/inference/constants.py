"""Constants that travel with a model as text: in an ONNX file's metadata, in Triton's parameters.

Initial states are often long runs of one value, so a run may be written as `value*count`. Others
are compressed: `zlib:` and the base64 of their little-endian float32. Names begin with `text:`.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import Internal
from lipstream.face.motion import Floats

__all__ = ["decode_constant", "decode_text", "encode_constant", "encode_text"]

_COMPRESSED = "zlib:"
_TEXT = "text:"
_PLAIN = re.compile(r"[\w ./:-]*", re.ASCII)
"""Needs no quoting in any file that holds it."""
_LONGEST_READABLE = 1000
_LONGEST = 1 << 24
"""Values in one constant: bounds what a damaged file can ask for."""


def encode_constant(values: Floats) -> str:  # [N]
    """Text that `decode_constant` turns into exactly these values."""
    array = np.asarray(values, "<f4")
    words = []
    for value, run in groupby(array.tolist()):
        count = len(list(run))
        # Nine digits tell every float32 from its neighbours.
        words.append(f"{value:.9g}" + (f"*{count}" if count > 1 else ""))
    text = " ".join(words)
    if len(text) <= _LONGEST_READABLE:
        return text
    return _COMPRESSED + base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()


def decode_constant(text: str) -> NDArray[np.float32]:  # [N]
    """
    Raises:
        Internal: this is no such text.
    """
    try:
        if text.startswith(_COMPRESSED):
            return _decompressed(text.removeprefix(_COMPRESSED))
        runs = [(word.partition("*")[0], word.partition("*")[2] or "1") for word in text.split()]
        counts = [int(count) for _, count in runs]
        if min(counts, default=0) < 0 or sum(counts) > _LONGEST:
            raise ValueError("impossible length")
        return np.repeat(np.array([float(value) for value, _ in runs], np.float32), counts)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise Internal("A constant of the model is damaged.", code="model_damaged") from error


def encode_text(text: str) -> str:
    """A constant that is no numbers, such as a name.

    Raises:
        ValueError: it holds other characters than letters, digits, blanks and `_./:-`.
    """
    if not _PLAIN.fullmatch(text):
        raise ValueError(f"{text!r} cannot be a constant")
    return _TEXT + text


def decode_text(constant: str) -> str | None:
    """Inverse of `encode_text`; None where the constant is numbers."""
    return constant.removeprefix(_TEXT) if constant.startswith(_TEXT) else None


def _decompressed(text: str) -> NDArray[np.float32]:  # [N]
    reader = zlib.decompressobj()
    data = reader.decompress(base64.b64decode(text, validate=True), 4 * _LONGEST)
    if not reader.eof:
        raise ValueError("cut short, or too long")
    return np.frombuffer(data, "<f4").astype(np.float32)
