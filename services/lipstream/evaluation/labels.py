"""Read phone labels in the formats that labelled speech comes in."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lipstream.errors import BadInput
from lipstream.motion.phones import Segment, from_arpabet, from_ipa

__all__ = ["read_hts_labels", "read_sphinx_json", "read_text_grid"]

_HUNDRED_NS = 1e-7


def read_text_grid(path: Path, tier: str = "phone") -> tuple[Segment, ...]:
    """Phones of a Praat TextGrid, long or short form, ARPABET or IPA.

    Args:
        tier: the first interval tier whose name starts with this word is read.

    Raises:
        BadInput: the file is no TextGrid, or has no such tier.
    """
    text = path.read_text("utf-8", "replace")
    if "ooTextFile" not in text[:80]:
        raise BadInput(f"{path.name} is no TextGrid.")
    # Both forms hold the same values in the same order; the long form only names them.
    values = re.findall(r'"((?:[^"]|"")*)"|(?<![\w.\[])(-?\d+(?:\.\d+)?)(?![\w\]:])', text)
    tokens = [string if number == "" else float(number) for string, number in values]
    for index, token in enumerate(tokens[:-1]):
        name = tokens[index + 1]
        if token == "IntervalTier" and isinstance(name, str) and name.lower().startswith(tier):
            return _text_grid_tier(tokens[index + 2 :], path)
    raise BadInput(f"{path.name} has no tier {tier}.")


def _text_grid_tier(tokens: list[str | float], path: Path) -> tuple[Segment, ...]:
    count = tokens[2] if len(tokens) > 2 else None
    if not isinstance(count, float) or len(tokens) < 3 + 3 * int(count):
        raise BadInput(f"{path.name} ends inside a tier.")
    labels = []
    for k in range(int(count)):
        start_s, end_s, name = tokens[3 + 3 * k : 6 + 3 * k]
        if not isinstance(start_s, float) or not isinstance(end_s, float):
            raise BadInput(f"{path.name} is damaged at interval {k + 1}.")
        labels.append((start_s, end_s, str(name)))
    arpabet = all(name.isascii() for _, _, name in labels)
    upper = any(name.isupper() and len(name) > 1 for _, _, name in labels)
    lower_digraphs = any(name.lower() in {"ih", "ah", "iy", "eh"} for _, _, name in labels)
    if arpabet and (upper or lower_digraphs):
        return from_arpabet(labels)
    return from_ipa(labels)


def read_hts_labels(path: Path) -> tuple[Segment, ...]:
    """Phones of an HTS full-context label file (times in 100 ns)."""
    labels = []
    for line in path.read_text("utf-8").splitlines():
        start, end, context = line.split(maxsplit=2)
        match = re.search(r"-(\w+)\+", context)
        if match is None:
            raise BadInput(f"{path.name} holds a line without a phone: {line[:60]}")
        labels.append((int(start) * _HUNDRED_NS, int(end) * _HUNDRED_NS, match[1]))
    return from_arpabet(labels)


def read_sphinx_json(path: Path) -> tuple[Segment, ...]:
    """Phones of pocketsphinx's JSON alignment: words `w` that hold phones `w`."""
    try:
        words = json.loads(path.read_text("utf-8"))["w"]
        labels = [
            (phone["b"], phone["b"] + phone["d"], phone["t"])
            for word in words
            for phone in word["w"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{path.name} is no pocketsphinx alignment: {error}.") from error
    return from_arpabet(labels)
