"""The phones of speech as far as a mouth shows them, and how labels of other systems map to them.

One small inventory serves every corpus: espeak-ng names phones in IPA, English corpora and
aligners in ARPABET. A diphthong is two symbols, each with its share of the time.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = [
    "BILABIALS",
    "LABIODENTALS",
    "NEVER_CLOSED",
    "OPEN_VOWELS",
    "ROUNDED",
    "SILENCE",
    "SPREAD_VOWELS",
    "SYMBOLS",
    "SYMBOL_INDEX",
    "TONGUE_SEEN",
    "VOWELS",
    "Segment",
    "fill_silences",
    "from_arpabet",
    "from_ipa",
]

SILENCE = "sil"
_SHORTEST_SILENCE_S = 0.010
VOWELS: tuple[str, ...] = (
    *("aa", "ae", "ah", "ax", "ao", "eh", "er", "ih"),
    *("iy", "uh", "uw", "o", "e", "a", "y", "oe"),
)
_CONSONANTS = (
    *("t", "d", "n", "s", "z", "sh", "zh", "ch", "jh", "k", "g", "ng", "l", "r"),
    *("th", "dh", "h", "x", "w", "j", "f", "v", "p", "b", "m", "q"),
)
SYMBOLS: tuple[str, ...] = (*VOWELS, *_CONSONANTS, SILENCE)
SYMBOL_INDEX: dict[str, int] = {symbol: index for index, symbol in enumerate(SYMBOLS)}

BILABIALS = frozenset({"p", "b", "m"})
LABIODENTALS = frozenset({"f", "v"})
ROUNDED = frozenset({"uw", "w", "o", "ao", "uh", "y", "oe"})
OPEN_VOWELS = frozenset({"aa", "ae", "a", "ah", "ao"})
SPREAD_VOWELS = frozenset({"iy", "e", "eh", "ih", "ae"})
TONGUE_SEEN = frozenset({"l", "th", "dh"})
"""Consonants with the tip of the tongue at or between the teeth."""
NEVER_CLOSED = frozenset({"t", "d", "k", "g", "n", "s", "z", "l", "th"})
"""Consonants at which a lip closure is a visible mistake."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One phone in time."""

    start_s: float
    end_s: float
    symbol: str
    stress: float = 0.0
    """0 unstressed, 0.5 secondary, 1 primary stress."""

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


_ARPABET: dict[str, tuple[str, ...]] = {
    **{symbol: (symbol,) for symbol in SYMBOLS if symbol not in {"a", "e", "o", "h", "j", "y"}},
    **{"axr": ("er",), "ix": ("ih",), "ux": ("uw",), "ax-h": ("ax",), "y": ("j",)},
    **{"hh": ("h",), "hv": ("h",), "dx": ("d",), "nx": ("n",), "el": ("l",)},
    **{"em": ("m",), "en": ("n",), "eng": ("ng",)},
    **{"pcl": ("p",), "bcl": ("b",), "tcl": ("t",), "dcl": ("d",), "kcl": ("k",), "gcl": ("g",)},
    **dict.fromkeys(("pau", "ssil", "epi", "h#", "sp", "spn", ""), (SILENCE,)),
    **{"ay": ("a", "ih"), "aw": ("a", "uh"), "oy": ("ao", "ih")},
    **{"ey": ("e", "iy"), "ow": ("o", "uh")},
}
_FIRST_SHARE = {"ay": 0.6, "aw": 0.55, "oy": 0.55, "ey": 0.55, "ow": 0.5}

_IPA_LETTERS = {
    "aa": "ɑ",
    "ao": "ɒɔ",
    "ae": "æ",
    "a": "a",
    "ah": "ɐʌɤ",
    "ax": "əɘ",
    "uh": "ɵʊ",
    "er": "ɜɝɚ",
    "eh": "ɛ",
    "e": "e",
    "ih": "ɪᵻɨɯ",
    "iy": "i",
    "uw": "uʉ",
    "o": "o",
    "y": "yʏɥ",
    "oe": "øœɶ",
    "p": "p",
    "b": "bɓ",
    "m": "mɱ",
    "f": "fɸ",
    "v": "vʋβ",
    "t": "tʈ",
    "d": "dɖɗɾɽ",
    "n": "nɳɲ",
    "ng": "ŋɴ",
    "s": "s",
    "z": "z",
    "sh": "ʃɕʂ",
    "zh": "ʒʑʐ",
    "th": "θ",
    "dh": "ð",
    "k": "kqc",
    "g": "ɡgɢɟ",
    "x": "xɣχʁçʀ",
    "h": "hɦħ",
    "q": "ʕʔ",
    "l": "lɫɭʎɬɮ",
    "r": "rɹɻ",
    "w": "wʍ",
    "j": "jʝɰ",
}
_IPA: dict[str, str] = {
    letter: symbol for symbol, letters in _IPA_LETTERS.items() for letter in letters
}
_AFFRICATES = {"tʃ": "ch", "dʒ": "jh", "tɕ": "ch", "dʑ": "jh", "ts": "s", "dz": "z"}


def _ipa_symbols(name: str) -> tuple[str, ...]:
    bare = unicodedata.normalize("NFD", name).replace("ˈ", "").replace("ˌ", "")
    for letters, symbol in _AFFRICATES.items():
        if bare.startswith(letters):
            return (symbol,)
    symbols: list[str] = []
    for letter in bare:
        symbol_here = _IPA.get(letter)
        if symbol_here and symbols[-1:] != [symbol_here]:
            symbols.append(symbol_here)
    return tuple(symbols)


def from_ipa(labels: Iterable[tuple[float, float, str]]) -> tuple[Segment, ...]:
    """Segments of IPA labels `(start_s, end_s, name)`; an empty name is silence.

    Names without any known letter (tone marks, length marks alone) are dropped.
    """
    segments: list[Segment] = []
    for start_s, end_s, name in labels:
        stress = 1.0 if "ˈ" in name else 0.5 if "ˌ" in name else 0.0
        symbols = _ipa_symbols(name) if name else (SILENCE,)
        step_s = (end_s - start_s) / max(len(symbols), 1)
        segments += [
            Segment(start_s + k * step_s, start_s + (k + 1) * step_s, symbol, stress)
            for k, symbol in enumerate(symbols)
        ]
    return tuple(segments)


def from_arpabet(labels: Iterable[tuple[float, float, str]]) -> tuple[Segment, ...]:
    """Segments of ARPABET or TIMIT labels `(start_s, end_s, name)`; an unknown name is silence."""
    segments: list[Segment] = []
    for start_s, end_s, name in labels:
        base = name.lower().rstrip("012")
        stress = {"1": 1.0, "2": 0.5}.get(name[-1:], 0.0)
        symbols = _ARPABET.get(base, (SILENCE,))
        if len(symbols) == 1:
            segments.append(Segment(start_s, end_s, symbols[0], stress))
            continue
        middle_s = start_s + _FIRST_SHARE[base] * (end_s - start_s)
        segments.append(Segment(start_s, middle_s, symbols[0], stress))
        segments.append(Segment(middle_s, end_s, symbols[1], stress))
    return tuple(segments)


def fill_silences(segments: Sequence[Segment], duration_s: float) -> tuple[Segment, ...]:
    """The same phones, with a silence wherever none is: between them, before, and after."""
    filled: list[Segment] = []
    end_s = 0.0
    for segment in segments:
        if segment.start_s > end_s + _SHORTEST_SILENCE_S:
            filled.append(Segment(end_s, segment.start_s, SILENCE))
        filled.append(segment)
        end_s = max(end_s, segment.end_s)
    if duration_s > end_s:
        filled.append(Segment(end_s, duration_s, SILENCE))
    return tuple(filled)
