"""What speech synthesis takes and gives."""

from __future__ import annotations

from dataclasses import dataclass

from lipstream.audio.pcm import Samples
from lipstream.errors import BadInput

__all__ = ["Delivery", "Phone", "Speech"]

_RANGES = {
    "rate_wpm": (80, 450),
    "pitch": (0, 99),
    "pitch_range": (0, 100),
    "volume": (0, 200),
    "word_gap": (0, 500),
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a text is spoken: espeak-ng's own controls.

    Raises:
        BadInput: a control is outside its range.
    """

    rate_wpm: int = 175
    """Words a minute, 80 to 450."""
    pitch: int = 50
    """Base pitch, 0 to 99."""
    pitch_range: int = 50
    """Liveliness of the melody, 0 (monotone) to 100."""
    volume: int = 100
    """Per cent, 0 to 200."""
    word_gap: int = 0
    """Extra pause between words, in units of 10 ms at normal speed."""

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise BadInput(
                    f"{name} is {value}; it must lie between {low} and {high}.",
                    code="speech_control",
                )


@dataclass(frozen=True, slots=True)
class Phone:
    """One sound of the speech; what no phone covers is a pause."""

    ipa: str
    """IPA symbols, with a stress mark in front where there is one."""
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Speech:
    """Synthesised speech, or a piece of it."""

    samples: Samples  # [S] in [-1, 1]
    rate_hz: int
    phones: tuple[Phone, ...]
    """In order; times count from the beginning of the whole speech."""
    start_s: float = 0.0
    """Where this piece begins in the whole speech."""

    @property
    def duration_s(self) -> float:
        return self.samples.size / self.rate_hz
