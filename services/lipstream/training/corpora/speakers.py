"""Synthesisers as sources of a corpus: endless random sentences in random voices, with phones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.signal import resample_poly

from lipstream.audio.espeak import list_variants, speak
from lipstream.audio.speech import Delivery
from lipstream.audio.voices import find_voice
from lipstream.errors import BadInput
from lipstream.evaluation.alignment import Aligner
from lipstream.evaluation.utterance import SAMPLE_RATE_HZ
from lipstream.face.motion import Floats
from lipstream.motion.phones import Segment, from_arpabet, from_ipa
from lipstream.training.corpora.closures import refine_closures
from lipstream.training.corpora.flite import VOICES, Flite
from lipstream.training.corpora.kokoro import ACCENTS, Kokoro, blended
from lipstream.training.corpora.kokoro import SAMPLE_RATE_HZ as KOKORO_RATE_HZ
from lipstream.training.corpora.texts import Texts

__all__ = ["EspeakSpeaker", "FliteSpeaker", "KokoroSpeaker", "Speaker", "Spoken", "flite_pronounce"]

_ESPEAK_VOICES = {
    "en": (
        *("en-us", "en-us", "en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-029"),
        *("en-us-nyc", "en-gb-x-gbclan", "en-gb-x-gbcwmd"),
    ),
    "de": ("de",),
    "fr": ("fr-fr", "fr-be", "fr-ch"),
    "it": ("it",),
    "pt": ("pt", "pt-br"),
    "es": ("es", "es-419"),
    "nl": ("nl",),
    "pl": ("pl",),
}
_INHUMAN = ("whisper", "robo", "croak", "demonic")
_PLAIN_SHARE = 0.15
_ENGLISH_VOICES = ("a", "b")
"""First letters of Kokoro's, American and British."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One synthesised sentence at the synthesiser's own rate."""

    speaker: str
    samples: Floats  # [S] in [-1, 1]
    sample_rate_hz: int
    segments: tuple[Segment, ...]


class Speaker(Protocol):
    """A synthesiser that says an endless sequence of random sentences in random voices."""

    def speak(self, texts: Texts, rng: np.random.Generator) -> Iterator[Spoken]: ...


class FliteSpeaker:
    """flite's English voices at random speeds."""

    def __init__(self) -> None:
        self._flite = Flite()

    def speak(self, texts: Texts, rng: np.random.Generator) -> Iterator[Spoken]:
        for line in texts.lines(rng, english_only=True):
            voice = VOICES[int(rng.integers(len(VOICES)))]
            speech = self._flite.speak(line.text, voice, stretch=float(rng.uniform(0.8, 1.35)))
            segments = from_arpabet(speech.labels)
            yield Spoken(f"flite/{voice}", speech.samples, speech.sample_rate_hz, segments)


class EspeakSpeaker:
    """espeak-ng in many languages, voices, speeds and pitches."""

    def __init__(self) -> None:
        self._variants = [
            name for name in list_variants() if not any(word in name.lower() for word in _INHUMAN)
        ]

    def speak(self, texts: Texts, rng: np.random.Generator) -> Iterator[Spoken]:
        for line in texts.lines(rng):
            voices = _ESPEAK_VOICES[line.language]
            voice = find_voice(voices[int(rng.integers(len(voices)))])
            if rng.random() >= _PLAIN_SHARE:
                voice += "+" + self._variants[int(rng.integers(len(self._variants)))]
            delivery = Delivery(
                rate_wpm=int(rng.integers(115, 250)),
                pitch=int(rng.integers(15, 90)),
                pitch_range=int(rng.integers(15, 85)),
            )
            speech = speak(line.text, voice, delivery)
            starts_s = [first / speech.rate_hz for first, _ in speech.events]
            ends_s = [*starts_s[1:], len(speech.samples) / speech.rate_hz]
            names = [name for _, name in speech.events]
            labels = [
                label for label in zip(starts_s, ends_s, names, strict=True) if label[1] > label[0]
            ]
            segments = refine_closures(from_ipa(labels), speech.samples, speech.rate_hz)
            yield Spoken(f"espeak/{voice}", speech.samples, speech.rate_hz, segments)


class KokoroSpeaker:
    """Kokoro in English, every sentence in a voice of its own: a blend of two.

    Its phones are found by forced alignment, as those of real speech.
    """

    def __init__(self, kokoro: Kokoro, aligner: Aligner) -> None:
        self._kokoro, self._aligner = kokoro, aligner
        self._names = sorted(kokoro.voices)
        self._english = [name for name in self._names if name.startswith(_ENGLISH_VOICES)]
        if not self._english:
            raise BadInput("None of Kokoro's voices there is an English one (a*.bin, b*.bin).")

    def speak(self, texts: Texts, rng: np.random.Generator) -> Iterator[Spoken]:
        for line in texts.lines(rng, english_only=True):
            first = self._english[int(rng.integers(len(self._english)))]
            second = self._names[int(rng.integers(len(self._names)))]
            # Voices of other languages sound human in English, but speak it with a foreign rhythm.
            sound, manner = rng.uniform(0, 1), rng.uniform(0, 0.4)
            accent = ACCENTS[first.startswith("b")]
            voices = self._kokoro.voices
            voice = blended(voices[first], voices[second], sound, manner)
            speed = float(rng.uniform(0.8, 1.3))
            try:
                loud = self._kokoro.speak(line.text, voice, accent, speed=speed)
                samples = resample_poly(loud, SAMPLE_RATE_HZ, KOKORO_RATE_HZ).astype(np.float32)
                segments = self._aligner.align(samples, line.text)
            except BadInput:
                continue
            speaker = f"kokoro/{first}+{second}*{sound:.2f}"
            yield Spoken(speaker, samples, SAMPLE_RATE_HZ, segments)


def flite_pronounce(flite: Flite) -> Callable[[str], list[str]]:
    """Pronunciations by flite's letter-to-sound rules, for words that no dictionary has."""

    def pronounce(word: str) -> list[str]:
        labels = flite.speak(word, VOICES[-1]).labels
        return [phone for _, _, phone in labels if phone not in {"pau", "sil"}]

    return pronounce
