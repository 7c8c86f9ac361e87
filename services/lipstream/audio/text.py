"""Text on its way to the synthesiser: cleaned, bounded, cut where a speaker would pause."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from lipstream.errors import BadInput, TooLarge

__all__ = ["MAX_CHARACTERS", "clean_text", "split_text"]

MAX_CHARACTERS = 20_000

_PIECE_CHARACTERS = 400
_PIECE_BYTES = 600
"""espeak-ng reads a clause into 800 bytes and drops the rest of it."""
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+|\n+")
_CLAUSE_END = re.compile(r"[,;:–—](?=\s)|[，；：、]")
_SPACE = re.compile(r"\s(?=\S)")
_UNBROKEN = re.compile(r"[^\s.,;:!?…。！？，；：、]{4,}")
_WORD_BYTES = 150
"""espeak-ng silently drops what a word holds beyond 160 bytes. Thai, Chinese and Japanese are
written without spaces, so that a whole clause counts as one word."""
_SPOKEN_BYTES = {"Nd": 6, "So": 40}
"""Digits and pictographs grow when they are spelled out."""


def clean_text(text: str) -> str:
    """Plain text as the synthesiser takes it: composed Unicode, no control characters.

    Markup is not interpreted: tags are read out like any other characters.

    Raises:
        BadInput: nothing is left to say.
        TooLarge: more than `MAX_CHARACTERS`.
    """
    if len(text) > MAX_CHARACTERS:
        raise TooLarge(
            f"The text has {len(text):,} characters; the limit is {MAX_CHARACTERS:,}.",
            remedy="Send it in parts.",
            code="text_too_long",
        )
    composed = unicodedata.normalize("NFC", text)
    # Control characters are commands to espeak-ng; lone surrogates cannot be encoded.
    cleaned = "".join(c if _is_plain(c) else " " for c in composed).strip()
    cleaned = _UNBROKEN.sub(_with_spaces, cleaned)
    if not cleaned:
        raise BadInput(
            "The text is empty.", remedy="Send at least one word to say.", code="empty_text"
        )
    return cleaned


def split_text(text: str) -> Iterator[str]:
    """Pieces of at most 400 characters, cut at the last sentence end, clause or space that fits.

    Short texts stay whole, so that the synthesiser sees all of their melody.
    """
    rest = text
    while (limit := _fitting_characters(rest)) < len(rest):
        cut = _cut(rest[: limit + 1], limit)
        piece, rest = rest[:cut].strip(), rest[cut:].lstrip()
        if piece:
            yield piece
    if rest.strip():
        yield rest.strip()


def _fitting_characters(text: str) -> int:
    window = text[:_PIECE_CHARACTERS]
    return len(window.encode()[:_PIECE_BYTES].decode(errors="ignore"))


def _cut(window: str, limit: int) -> int:
    for pattern in (_SENTENCE_END, _CLAUSE_END, _SPACE):
        ends = [match.end() for match in pattern.finditer(window)]
        fitting = [end for end in ends if 0 < end <= limit]
        if fitting:
            return fitting[-1]
    return limit


def _with_spaces(run: re.Match[str]) -> str:
    """The run with a space wherever it would grow over `_WORD_BYTES`."""
    parts: list[str] = []
    length_bytes = 0
    for character in run.group():
        category = unicodedata.category(character)
        size_bytes = _SPOKEN_BYTES.get(category, len(character.encode()))
        belongs_to_previous = category.startswith("M")
        if length_bytes + size_bytes > _WORD_BYTES and not belongs_to_previous:
            parts.append(" ")
            length_bytes = 0
        parts.append(character)
        length_bytes += size_bytes
    return "".join(parts)


def _is_plain(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cs", "Co"}
