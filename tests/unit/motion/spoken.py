"""Synthesised sentences with their phones, for tests that need speech."""

from __future__ import annotations

from functools import lru_cache

from lipstream.audio.espeak import speak
from lipstream.audio.speech import Delivery
from lipstream.audio.voices import find_voice
from lipstream.evaluation.utterance import Utterance
from lipstream.motion.phones import from_ipa
from lipstream.training.corpora.build import to_utterance
from lipstream.training.corpora.closures import refine_closures
from lipstream.training.corpora.speakers import Spoken

__all__ = ["SENTENCES", "spoken"]

SENTENCES = (
    "Bob put a maple table by the map, and Mary baked a pumpkin pie.",
    "We have five views of the moon over the blue pool.",
    "The quick brown fox jumps over the lazy dog.",
    "My father saw a far away star above the harbour.",
)


@lru_cache(maxsize=16)
def spoken(text: str = SENTENCES[0], voice: str = "en-us") -> Utterance:
    """The sentence at 16 kHz, with phone times from the synthesiser."""
    speech = speak(text, find_voice(voice), Delivery(rate_wpm=150))
    starts_s = [first / speech.rate_hz for first, _ in speech.events]
    ends_s = [*starts_s[1:], len(speech.samples) / speech.rate_hz]
    names = [name for _, name in speech.events]
    labels = [label for label in zip(starts_s, ends_s, names, strict=True) if label[1] > label[0]]
    segments = refine_closures(from_ipa(labels), speech.samples, speech.rate_hz)
    return to_utterance(Spoken(voice, speech.samples, speech.rate_hz, segments), text[:20])
