"""WAV files, 16 bits a sample, written as a stream: the soundtrack that renderers read."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from lipstream.audio.pcm import Samples, to_pcm16

__all__ = ["write_wav"]


def write_wav(destination: Path | BinaryIO, chunks: Iterable[Samples], rate_hz: int) -> int:
    """Write mono chunks as they come; the same samples give the same bytes.

    Args:
        destination: a path, or an open file that can seek.

    Returns:
        The number of samples written.
    """
    count = 0
    target = str(destination) if isinstance(destination, Path) else destination
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        for chunk in chunks:
            file.writeframes(to_pcm16(chunk))
            count += chunk.size
    return count
