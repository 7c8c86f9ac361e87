"""The audio that belongs to a clip, at the rate that training works at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipstream.audio.decode import decode_audio
from lipstream.audio.limits import AudioLimits
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.audio.resample import resample
from lipstream.errors import BadInput

__all__ = ["AUDIO_SUFFIXES", "find_audio", "read_audio", "to_samples"]

AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus", ".mov", ".mp4")
_LIMITS = AudioLimits(max_seconds=36_000.0, max_bytes=4_000_000_000)
_LOWEST_RATE_HZ, _HIGHEST_RATE_HZ = 4_000, 384_000


def find_audio(folder: Path, stems: Iterable[str]) -> Path | None:
    """The first file `<stem>.<suffix of audio>` that is in the folder."""
    for stem in stems:
        for suffix in AUDIO_SUFFIXES:
            for path in (folder / f"{stem}{suffix}", folder / f"{stem}{suffix.upper()}"):
                if path.is_file():
                    return path
    return None


def read_audio(path: Path) -> Samples:  # [S] at 16 kHz
    """A file's audio, mono.

    Raises:
        BadInput, NotFound: it cannot be decoded.
    """
    return decode_audio(path, limits=_LIMITS).samples


def to_samples(audio: NDArray[Any], rate_hz: int, name: str) -> Samples:  # [S] or [S, C] -> [S']
    """Stored samples, integers of full scale or floats, as mono at 16 kHz.

    Raises:
        BadInput: they are no audio, or their rate is none.
    """
    if not _LOWEST_RATE_HZ <= rate_hz <= _HIGHEST_RATE_HZ:
        raise BadInput(f"The audio of {name} has {rate_hz} Hz; 4,000 to 384,000 Hz was expected.")
    if audio.ndim not in (1, 2) or not audio.size or audio.dtype.kind not in "if":
        raise BadInput(
            f"The audio of {name} has shape {audio.shape} and type {audio.dtype}; "
            "samples (S,) as integers or floats were expected."
        )
    if audio.dtype.kind == "i":
        scale = float(np.iinfo(np.int16).max + 1)
        # Arrays of 16-bit values are often stored wider than that.
        if audio.dtype.itemsize > 2 and np.abs(audio).max() > scale:
            scale = float(np.iinfo(audio.dtype).max)
        samples = audio.astype(np.float64) / scale
    else:
        samples = audio.astype(np.float64)
    if not np.isfinite(samples).all():
        raise BadInput(f"The audio of {name} holds values that are not finite.")
    mono = samples if samples.ndim == 1 else samples.mean(axis=int(np.argmin(samples.shape)))
    return resample(np.clip(mono, -1.0, 1.0).astype(np.float32), rate_hz, SAMPLE_RATE_HZ)
