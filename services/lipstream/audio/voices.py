"""The voices that can be asked for, and the search for the one that is meant."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from lipstream.audio.espeak import list_variants, list_voices
from lipstream.errors import BadInput

__all__ = ["Voice", "find_voice", "variants", "voices"]

_GENDERS = {1: "male", 2: "female"}
_CLOSE_ENOUGH = 0.5
_EXTERNAL = "mb/"
"""Prefix of voices whose sounds are not part of espeak-ng."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice of the built-in synthesiser."""

    tag: str
    """Language tag to ask for it by, such as `en-us`."""
    name: str
    identifier: str
    """espeak-ng's own name for it, such as `gmw/en-US`."""
    languages: tuple[str, ...]
    """Every tag that it answers to."""
    gender: str


@lru_cache(maxsize=1)
def voices() -> tuple[Voice, ...]:
    """All voices, by language tag.

    Raises:
        Unavailable: the speech library is not installed.
    """
    found = [
        Voice(
            tag=row.languages[0][1],
            name=row.name,
            identifier=row.identifier,
            languages=tuple(tag for _, tag in row.languages),
            gender=_GENDERS.get(row.gender, "unspecified"),
        )
        for row in list_voices()
        if row.languages and not row.identifier.startswith(_EXTERNAL)
    ]
    return tuple(sorted(found, key=lambda voice: (voice.tag, voice.name)))


def variants() -> tuple[str, ...]:
    """Ways in which any voice can be altered: `en-us+f3` asks for the variant `f3`."""
    return list_variants()


def find_voice(wanted: str, variant: str | None = None) -> str:
    """espeak-ng's name for the voice that is asked for.

    Args:
        wanted: language tag, name or identifier in any case; `+variant` may follow.
        variant: the variant, where `wanted` has none.

    Raises:
        BadInput: there is no such voice or variant; the nearest ones are suggested.
    """
    base, _, named_variant = wanted.strip().partition("+")
    names = _names()
    identifier = names.get(base.lower().replace("_", "-"))
    if identifier is None:
        raise BadInput(
            f"There is no voice {_quoted(wanted)}.",
            remedy=_suggestion(
                base, tuple(names), "Give a language tag such as en-us, de, fr or cmn."
            ),
            code="unknown_voice",
        )
    chosen = named_variant or variant
    if not chosen:
        return identifier
    known = {name.lower(): name for name in variants()}
    if chosen.lower() not in known:
        raise BadInput(
            f"There is no voice variant {_quoted(chosen)}.",
            remedy=_suggestion(chosen, tuple(known), "Leave it out for the plain voice."),
            code="unknown_voice",
        )
    return f"{identifier}+{known[chosen.lower()]}"


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """What each lower-case name stands for; of several voices of a language, its best."""
    ranked = sorted(
        (priority, tag, row.identifier)
        for row in list_voices()
        if not row.identifier.startswith(_EXTERNAL)
        for priority, tag in row.languages
    )
    names: dict[str, str] = {}
    for _, tag, identifier in ranked:
        names.setdefault(tag.lower(), identifier)
    for voice in voices():
        names.setdefault(voice.identifier.lower(), voice.identifier)
        names.setdefault(voice.name.lower(), voice.identifier)
    return names


def _suggestion(wanted: str, known: tuple[str, ...], otherwise: str) -> str:
    near = get_close_matches(wanted[:64].lower(), known, n=3, cutoff=_CLOSE_ENOUGH)
    return f"Did you mean {' or '.join(near)}?" if near else otherwise


def _quoted(text: str) -> str:
    shortened = text if len(text) <= 64 else text[:61] + "..."
    return f'"{shortened}"'
