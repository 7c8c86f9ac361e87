"""Speech from text, on any machine: espeak-ng in more than a hundred languages.

Long texts are spoken piece by piece, so that neither memory nor the wait for the first sound
grows with the text. Phone times count from the beginning of the whole speech.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lipstream.audio.espeak import Utterance, speak
from lipstream.audio.speech import Delivery, Phone, Speech
from lipstream.audio.text import clean_text, split_text
from lipstream.audio.voices import find_voice
from lipstream.errors import BadInput, TooLarge

__all__ = ["MAX_SPEECH_SECONDS", "synthesize", "synthesize_chunks"]

MAX_SPEECH_SECONDS = 1_800.0

_LOWEST_RATE_HZ = 22_050
_DEFAULT_DELIVERY = Delivery()


def synthesize(
    text: str,
    voice: str = "en-us",
    *,
    variant: str | None = None,
    delivery: Delivery = _DEFAULT_DELIVERY,
) -> Speech:
    """Speak a whole text.

    Raises:
        BadInput, TooLarge, Unavailable: as `synthesize_chunks`.
    """
    pieces = list(synthesize_chunks(text, voice, variant=variant, delivery=delivery))
    return Speech(
        samples=np.concatenate([piece.samples for piece in pieces]),
        rate_hz=pieces[0].rate_hz,
        phones=tuple(phone for piece in pieces for phone in piece.phones),
    )


def synthesize_chunks(
    text: str,
    voice: str = "en-us",
    *,
    variant: str | None = None,
    delivery: Delivery = _DEFAULT_DELIVERY,
) -> Iterator[Speech]:
    """Speak a text piece by piece, each up to a few sentences long.

    Arguments are checked before the iterator is returned. The same arguments give the same
    samples every time.

    Args:
        text: plain text; markup is read out, not interpreted.
        voice: language tag or name, with `+variant` if one is wanted; see `voices`.

    Raises:
        BadInput: the text is empty or has nothing in it that can be spoken, there is no such
            voice, or a control is out of range.
        TooLarge: the text has more than 20,000 characters, or speaks for more than 30 minutes.
        Unavailable: the speech library is not installed.
    """
    cleaned = clean_text(text)
    return _pieces(cleaned, find_voice(voice, variant), delivery)


def _pieces(text: str, voice: str, delivery: Delivery) -> Iterator[Speech]:
    said_samples = 0
    held: list[Speech] = []
    """Pieces without a phone: given once it is sure that there is speech at all."""
    spoken = False
    for piece in split_text(text):
        budget = round(MAX_SPEECH_SECONDS * _LOWEST_RATE_HZ) - said_samples
        utterance = speak(piece, voice, delivery, max_samples=max(budget, 1))
        if not utterance.complete:
            raise TooLarge(
                f"The text takes longer to say than the limit of "
                f"{MAX_SPEECH_SECONDS / 60:g} minutes.",
                remedy="Send it in parts.",
                code="too_long",
            )
        speech = _speech(utterance, said_samples)
        said_samples += speech.samples.size
        held.append(speech)
        spoken = spoken or bool(speech.phones)
        if spoken:
            yield from held
            held.clear()
    if not spoken:
        raise BadInput(
            "There is nothing in the text that can be spoken.",
            remedy="Send at least one word, in a language of the voice.",
            code="no_speech",
        )


def _speech(utterance: Utterance, said_samples: int) -> Speech:
    rate_hz = utterance.rate_hz
    starts = [min(first, utterance.samples.size) for first, _ in utterance.events]
    ends = [*starts[1:], utterance.samples.size]
    phones = tuple(
        Phone(ipa, (said_samples + start) / rate_hz, (said_samples + end) / rate_hz)
        for (_, ipa), start, end in zip(utterance.events, starts, ends, strict=True)
        if ipa and end > start
    )
    return Speech(utterance.samples, rate_hz, phones, said_samples / rate_hz)
