"""Constants that travel with a model as text: in an ONNX file's metadata, in Triton's parameters.

Initial states are long runs of one value, so a run may be written as `value*count`.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import Internal
from lipstream.face.motion import Floats

__all__ = ["decode_constant", "encode_constant"]

_LONGEST = 1 << 24
"""Values in one constant: bounds what a damaged file can ask for."""


def encode_constant(values: Floats) -> str:  # [N]
    """Text that `decode_constant` turns into exactly these values."""
    words = []
    for value, run in groupby(np.asarray(values, np.float32).tolist()):
        count = len(list(run))
        # Nine digits tell every float32 from its neighbours.
        words.append(f"{value:.9g}" + (f"*{count}" if count > 1 else ""))
    return " ".join(words)


def decode_constant(text: str) -> NDArray[np.float32]:  # [N]
    """
    Raises:
        Internal: this is no such text.
    """
    try:
        runs = [(word.partition("*")[0], word.partition("*")[2] or "1") for word in text.split()]
        counts = [int(count) for _, count in runs]
        if min(counts, default=0) < 0 or sum(counts) > _LONGEST:
            raise ValueError("impossible length")
        return np.repeat(np.array([float(value) for value, _ in runs], np.float32), counts)
    except ValueError as error:
        raise Internal("A constant of the model is damaged.", code="model_damaged") from error
