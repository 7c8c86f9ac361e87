"""What is done with a recording that anybody may have sent, in a bounded process.

`runtime.bounded` calls these by name; what comes out can be read without a decoder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lipstream.audio.limits import AudioLimits
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.audio.source import SOUNDTRACK_RATE_HZ, RecordedSpeech
from lipstream.audio.wav import write_wav
from lipstream.runtime.bounded import BoundedCalls

__all__ = ["Converted", "convert", "convert_bounded", "inspect", "inspect_bounded"]

_PIECE = 10 * SAMPLE_RATE_HZ


class Converted:
    """A recording as 32-bit floats at 16 kHz, in a file.

    Attributes:
        count: samples of the soundtrack, at 48 kHz.
        warnings: what could be worked around, in sentences.
    """

    def __init__(self, path: Path, count: int, warnings: list[str]) -> None:
        self._path = path
        self.count = count
        self.warnings = warnings

    def chunks(self) -> Iterator[Samples]:
        samples = np.memmap(self._path, np.float32, "r")
        for first in range(0, len(samples), _PIECE):
            yield np.array(samples[first : first + _PIECE])


def inspect_bounded(
    calls: BoundedCalls, path: Path, limits: AudioLimits
) -> tuple[float, list[str]]:
    """A recording's length in seconds, and what could be worked around.

    Raises:
        BadInput: it cannot be used.
    """
    found = calls.call("lipstream.audio.gate:inspect", str(path), asdict(limits))
    return found["duration_s"], found["warnings"]


def convert_bounded(
    calls: BoundedCalls, path: Path, soundtrack: Path, limits: AudioLimits
) -> Converted:
    """Decode a recording into a WAV file at 48 kHz and into what the encoder hears.

    Raises:
        BadInput: it cannot be used.
    """
    raw = path.with_name(f"{path.name}.f32")
    paths = (str(path), str(soundtrack), str(raw))
    found = calls.call("lipstream.audio.gate:convert", *paths, asdict(limits))
    return Converted(raw, found["count"], found["warnings"])


def inspect(path: str, limits: dict[str, Any]) -> dict[str, Any]:
    """In the bounded process: see `inspect_bounded`."""
    warnings: list[str] = []
    recording = RecordedSpeech(Path(path), AudioLimits(**limits), warnings.append)
    count = sum(chunk.size for chunk in recording.chunks(SAMPLE_RATE_HZ))
    return {"duration_s": count / SAMPLE_RATE_HZ, "warnings": warnings}


def convert(path: str, soundtrack: str, raw: str, limits: dict[str, Any]) -> dict[str, Any]:
    """In the bounded process: see `convert_bounded`."""
    warnings: dict[str, None] = {}  # it is decoded twice; once is enough to hear of its faults
    recording = RecordedSpeech(Path(path), AudioLimits(**limits), warnings.setdefault)
    count = write_wav(Path(soundtrack), recording.chunks(SOUNDTRACK_RATE_HZ), SOUNDTRACK_RATE_HZ)
    with Path(raw).open("wb") as file:
        for chunk in recording.chunks(SAMPLE_RATE_HZ):
            file.write(np.asarray(chunk, np.float32).tobytes())
    return {"count": count, "warnings": list(warnings)}
