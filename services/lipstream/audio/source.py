"""Where speech comes from: a recording or a text. Either can be streamed again, at any rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lipstream.audio.decode import decode_chunks
from lipstream.audio.limits import AudioLimits, require_speech
from lipstream.audio.pcm import Samples
from lipstream.audio.resample import Resampler
from lipstream.audio.speech import Phone
from lipstream.audio.synthesis import synthesize_chunks
from lipstream.errors import TooLarge

__all__ = ["SOUNDTRACK_RATE_HZ", "RecordedSpeech", "SpeechSource", "SpokenText"]

SOUNDTRACK_RATE_HZ = 48_000
"""Of what is heard beside the picture; features are made at 16 kHz."""


class SpeechSource(Protocol):
    def chunks(self, rate_hz: int) -> Iterator[Samples]:
        """The speech from its beginning, mono, at that rate.

        Raises:
            BadInput: it cannot be used, or nothing can be heard in it.
        """
        ...


@dataclass(frozen=True, slots=True)
class RecordedSpeech:
    """Anything that FFmpeg reads."""

    path: Path
    limits: AudioLimits
    on_warning: Callable[[str], object] | None = None
    """Told, in a sentence, what could be worked around."""

    def chunks(self, rate_hz: int) -> Iterator[Samples]:
        decoded = decode_chunks(
            self.path, rate_hz=rate_hz, limits=self.limits, on_warning=self.on_warning
        )
        return require_speech(decoded)


@dataclass(frozen=True, slots=True)
class SpokenText:
    """A text in one of the built-in voices."""

    text: str
    voice: str
    limits: AudioLimits

    def chunks(self, rate_hz: int) -> Iterator[Samples]:
        return self._converted(rate_hz)

    def phones(self) -> Iterator[Phone]:
        """What is said when, for evaluation."""
        for piece in synthesize_chunks(self.text, self.voice):
            yield from piece.phones

    def _converted(self, rate_hz: int) -> Iterator[Samples]:
        resampler: Resampler | None = None
        said_s = 0.0
        for piece in synthesize_chunks(self.text, self.voice):
            said_s += piece.duration_s
            if said_s > self.limits.max_seconds:
                raise TooLarge(
                    f"The text takes longer to say than {self.limits.max_seconds:g} s, the limit.",
                    remedy="Send it in parts.",
                    code="too_long",
                )
            resampler = resampler or Resampler(piece.rate_hz, rate_hz)
            yield resampler.push(piece.samples)
        if resampler is not None:
            yield resampler.flush()
