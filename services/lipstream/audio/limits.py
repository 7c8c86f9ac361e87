"""How much audio one recording may hold, and what counts as speech to work with.

Decoding itself is neutral: quiet or silent audio decodes. Whoever animates a face from it asks
`check_speech` or wraps the stream in `require_speech`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from lipstream.audio.pcm import Samples
from lipstream.errors import BadInput

__all__ = ["SILENCE_PEAK", "AudioLimits", "check_speech", "require_speech"]

SILENCE_PEAK = 5e-4
"""Audio that never exceeds this (-66 dB of full scale) is silence with at most dither in it."""


@dataclass(frozen=True, slots=True)
class AudioLimits:
    """Bounds of one recording; each refusal names the bound that it met."""

    min_seconds: float = 0.1
    max_seconds: float = 1_800.0
    max_bytes: int = 200_000_000
    min_rate_hz: int = 4_000
    max_rate_hz: int = 384_000
    max_channels: int = 64

    @property
    def max_megabytes(self) -> float:
        return self.max_bytes / 1e6


def check_speech(samples: Samples) -> None:  # [S]
    """Refuse audio in which nothing can be heard.

    Raises:
        BadInput: with code `silent_audio`.
    """
    _refuse_silence(_peak(samples))


def require_speech(chunks: Iterable[Samples]) -> Iterator[Samples]:
    """Pass a stream through; after its last chunk refuse it if all of it was silent.

    Raises:
        BadInput: with code `silent_audio`.
    """
    peak = 0.0
    for chunk in chunks:
        peak = max(peak, _peak(chunk))
        yield chunk
    _refuse_silence(peak)


def _peak(samples: Samples) -> float:
    return float(np.abs(samples).max(initial=0.0))


def _refuse_silence(peak: float) -> None:
    if peak <= SILENCE_PEAK:
        raise BadInput(
            "The audio is silent: nothing in it is louder than -66 dB of full scale.",
            remedy="Check the microphone or the export, and send a recording with speech in it.",
            code="silent_audio",
        )
