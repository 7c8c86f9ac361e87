"""Text to speak: sentences of English, and random words of other languages.

Sentences come from whatever the machine has: LibriSpeech's transcripts (CC BY 4.0), Debian's
fortunes and word lists. Other languages need only their sounds, for which shuffled words do.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lipstream.errors import NotFound

__all__ = ["Line", "Texts", "load_texts"]

_WORD_LISTS = {
    "de": "ngerman",
    "fr": "french",
    "it": "italian",
    "pt": "portuguese",
    "es": "spanish",
    "nl": "dutch",
    "pl": "polish",
}
_SENTENCE = re.compile(r"[A-Za-z0-9 ,.'!?;:\"-]+")
_ENGLISH_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Line:
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Texts:
    """A pool of text."""

    english: tuple[str, ...]
    words: dict[str, tuple[str, ...]]

    @property
    def digest(self) -> str:
        """The same for the same text: what a corpus was made from."""
        content = json.dumps([self.english, self.words], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def lines(self, rng: np.random.Generator, *, english_only: bool = False) -> Iterator[Line]:
        """An endless, seeded sequence of things to say."""
        languages = sorted(self.words)
        while True:
            if english_only or not languages or rng.random() < _ENGLISH_SHARE:
                yield Line("en", self.english[int(rng.integers(len(self.english)))])
                continue
            language = languages[int(rng.integers(len(languages)))]
            words = self.words[language]
            chosen = [words[int(i)] for i in rng.integers(len(words), size=rng.integers(4, 12))]
            yield Line(language, " ".join(chosen) + ".")


def load_texts(
    transcripts: Path | None = None,
    fortunes: Path = Path("/usr/share/games/fortunes"),
    dictionaries: Path = Path("/usr/share/dict"),
) -> Texts:
    """Read what is there.

    Args:
        transcripts: folder of LibriSpeech transcripts (`*.tsv.gz`: id TAB text).
        fortunes: folder of the Debian packages `fortunes-*`.
        dictionaries: folder of Debian's word lists.

    Raises:
        NotFound: no English text at all.
    """
    english = [*_transcripts(transcripts), *_fortunes(fortunes)]
    if not english:
        raise NotFound(
            "There is no English text to build a corpus from.",
            remedy="Install Debian's `fortunes`, or name a folder of LibriSpeech transcripts.",
        )
    words = {}
    for language, name in _WORD_LISTS.items():
        path = dictionaries / name
        if path.is_file():
            entries = path.read_text("utf-8", "ignore").split()
            words[language] = tuple(word for word in entries if 2 < len(word) < 13)
    return Texts(tuple(english), words)


def _transcripts(folder: Path | None) -> Iterator[str]:
    # Only the training part: what evaluation speakers read is not for training.
    for path in sorted(folder.glob("all_train-*.tsv.gz")) if folder else ():
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                words = line.partition("\t")[2].split()
                for start in range(0, len(words), 18):
                    piece = words[start : start + 18]
                    if len(piece) >= 3:
                        yield " ".join(piece).lower() + "."


def _fortunes(folder: Path) -> Iterator[str]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if "." in path.name or "ascii" in path.name or not path.is_file():
            continue
        for fortune in re.split(r"\n%\n", path.read_text("utf-8", "ignore")):
            said = " ".join(fortune.partition("--")[0].split())
            for sentence in re.split(r"(?<=[.!?;])\s+", said):
                if 3 <= len(sentence.split()) <= 22 and _SENTENCE.fullmatch(sentence):
                    yield sentence
