"""Audio inside the platform: mono float32 in [-1, 1] at 16 kHz, `# [samples]`.

The edge speaks 16-bit integers (live clients, WAV, speech synthesis); these are the only two
places where one becomes the other.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput

__all__ = ["SAMPLE_RATE_HZ", "Samples", "from_pcm16", "to_pcm16"]

SAMPLE_RATE_HZ = 16_000

Samples: TypeAlias = NDArray[np.float32]

_FULL_SCALE = 32_768.0


def from_pcm16(data: bytes) -> Samples:
    """Little-endian 16-bit samples as floats in [-1, 1)  # [samples].

    Raises:
        BadInput: the bytes do not end on a whole sample.
    """
    if len(data) % 2:
        raise BadInput(
            f"{len(data)} bytes are not a whole number of 16-bit samples.",
            remedy="Send mono 16-bit little-endian PCM in chunks of an even length.",
        )
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(_FULL_SCALE)


def to_pcm16(samples: Samples) -> bytes:
    """Floats as little-endian 16-bit samples, rounded and clipped at full scale."""
    scaled = np.clip(np.rint(samples * np.float32(_FULL_SCALE)), -_FULL_SCALE, _FULL_SCALE - 1)
    data: bytes = scaled.astype("<i2").tobytes()
    return data
