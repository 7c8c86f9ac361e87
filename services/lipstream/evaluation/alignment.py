"""Forced alignment: phone times of real speech from its transcript, by pocketsphinx.

Against hand labels, about three quarters of its boundaries lie within 20 ms, which serves training
well: the errors of many speakers average out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipstream.errors import BadInput, NotFound
from lipstream.face.motion import Floats
from lipstream.motion.phones import Segment, from_arpabet

__all__ = ["Aligner"]

_FRAME_S = 0.01
_PHONES = {"ax": "ah", "el": "l", "em": "m", "en": "n"}  # to the 39 phones of its dictionary
# Wider beams for speech that the default ones lose; each is slower than the one before.
_ATTEMPTS: tuple[dict[str, Any], ...] = (
    {},
    {"bestpath": False},
    {"beam": 1e-60, "wbeam": 1e-40, "pbeam": 1e-60},
    {"beam": 1e-100, "wbeam": 1e-80, "pbeam": 1e-100},
)


class Aligner:
    """Aligns English speech with its text.

    Args:
        pronounce: ARPABET phones of a word that the dictionary lacks.

    Raises:
        NotFound: pocketsphinx is not installed.
    """

    def __init__(self, pronounce: Callable[[str], Sequence[str]] | None = None) -> None:
        try:
            import pocketsphinx
        except ImportError as error:
            raise NotFound(
                "pocketsphinx is not installed, and aligning speech with text needs it.",
                remedy="Install it with `pip install 'lipstream[train]'`.",
            ) from error
        self._pocketsphinx = pocketsphinx
        self._model = Path(pocketsphinx.__file__).parent / "model" / "en-us"
        lines = (self._model / "cmudict-en-us.dict").read_text().splitlines()
        self._words = frozenset(line.split(maxsplit=1)[0] for line in lines if line)
        self._pronounce = pronounce

    def _added_words(self, words: Sequence[str]) -> dict[str, str]:
        unknown = {word for word in words if word not in self._words}
        if unknown and self._pronounce is None:
            raise BadInput(f"No pronunciation is known for {', '.join(sorted(unknown))}.")
        added = {}
        for word in unknown:
            phones = [_PHONES.get(p, p) for p in self._pronounce(word)] if self._pronounce else []
            if not phones:
                raise BadInput(f"No pronunciation is known for {word}.")
            added[word] = " ".join(phone.upper() for phone in phones)
        return added

    def align(self, samples: Floats, text: str) -> tuple[Segment, ...]:
        """Phones and their times.

        Args:
            samples: `# [S]` at 16 kHz.
            text: what is said, exactly.

        Raises:
            BadInput: a word has no known pronunciation, or text and speech do not fit.
        """
        words = _words(text)
        added = self._added_words(words)
        peak = max(float(np.abs(samples).max(initial=0)), 1e-6)
        raw = (samples * (0.9 * 32767 / peak)).astype(np.int16).tobytes()
        for options in _ATTEMPTS:
            labels = self._attempt(raw, " ".join(words), added, options)
            if labels:
                return from_arpabet(labels)
        raise BadInput("The text does not fit the speech: no alignment was found.")

    def _attempt(
        self, raw: bytes, text: str, added: dict[str, str], options: dict[str, Any]
    ) -> list[tuple[float, float, str]]:
        decoder = self._pocketsphinx.Decoder(
            hmm=str(self._model / "en-us"),
            dict=str(self._model / "cmudict-en-us.dict"),
            lm=None,
            loglevel="FATAL",
            **options,
        )
        try:
            for word, phones in added.items():
                decoder.add_word(word, phones, True)
            decoder.set_align_text(text)
            _decode(decoder, raw)
            if decoder.hyp() is None:
                return []
            decoder.set_alignment()
            _decode(decoder, raw)
            return [
                (phone.start * _FRAME_S, (phone.start + phone.duration) * _FRAME_S, phone.name)
                for word in decoder.get_alignment()
                for phone in word
            ]
        except RuntimeError:  # how pocketsphinx says that no path survived its beam
            return []


def _decode(decoder: Any, raw: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(raw, full_utt=True)
    decoder.end_utt()


def _words(text: str) -> list[str]:
    return re.sub(r"[^a-z' ]", " ", text.lower()).split()
