"""A choice with options, as settings and the command line take it: `NAME?key=value&…`."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from lipstream.errors import BadInput

__all__ = ["WrittenChoice"]


@dataclass(frozen=True, slots=True)
class WrittenChoice:
    """
    Attributes:
        name: what stands before the question mark.
        options: what follows it.
    """

    name: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> WrittenChoice:
        name, _, query = text.strip().partition("?")
        return cls(name, dict(parse_qsl(query, keep_blank_values=True)))

    def allow(self, what: str, known: Sequence[str], code: str) -> None:
        """
        Args:
            what: has these options, in words.
            code: of the error.

        Raises:
            BadInput: there is another one.
        """
        for option in sorted(set(self.options) - set(known)):
            raise BadInput(
                f"{what} has no option {option!r}.",
                remedy=f"Known are {', '.join(known)}." if known else "Leave it out.",
                code=code,
            )

    def number(self, option: str, default: float) -> float:
        """
        Raises:
            BadInput: it is something else.
        """
        text = self.options.get(option)
        if text is None:
            return default
        with contextlib.suppress(ValueError):
            if math.isfinite(number := float(text)):
                return number
        raise BadInput(f"{option} is {text!r}; a number was expected.")

    def word(self, option: str, offered: Sequence[str]) -> str:
        """One of the words that are offered, the first by default.

        Raises:
            BadInput: it is another.
        """
        word = self.options.get(option, offered[0])
        if word not in offered:
            raise BadInput(
                f"There is no {option} {word!r}.", remedy=f"Write {' or '.join(offered)}."
            )
        return word
