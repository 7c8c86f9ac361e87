"""What a session is given to say."""

from __future__ import annotations

from functools import cache

from lipstream.audio import resample, synthesize

__all__ = ["RATE_HZ", "TEXT", "speech"]

RATE_HZ = 24_000
TEXT = "My father saw a far away star above the harbour."


@cache
def speech(text: str = TEXT, rate_hz: int = RATE_HZ) -> bytes:
    """16-bit PCM."""
    spoken = synthesize(text)
    samples = resample(spoken.samples, spoken.rate_hz, rate_hz)
    return (samples.clip(-1, 1) * 32767).astype("<i2").tobytes()
