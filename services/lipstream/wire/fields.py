"""Strict reading of the flat string fields that Redis gives back.

Redis hashes and stream entries are maps of strings. Every message carries the field `v`, so that
a reader refuses what a newer writer meant otherwise.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from lipstream.errors import BadInput

__all__ = ["VERSION", "Fields", "dump_json"]

VERSION = 1


def dump_json(value: object) -> str:
    """`value` as compact JSON with sorted keys.

    Raises:
        BadInput: it holds something that JSON cannot say, such as NaN.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput(f"A value cannot be written as JSON: {error}.") from error


class Fields:
    """One entry's fields, read by name and type.

    Args:
        fields: as Redis gave them.
        what: names the message in errors.

    Raises:
        BadInput: from every reader, when a field is missing or malformed.
    """

    __slots__ = ("_fields", "_what")

    def __init__(self, fields: Mapping[str, str], what: str) -> None:
        self._fields = fields
        self._what = what
        if (version := self.integer("v")) != VERSION:
            raise BadInput(
                f"The {what} has version {version}; this program reads {VERSION}.",
                remedy="Run the same release of all services.",
            )

    def text(self, name: str) -> str:
        try:
            return self._fields[name]
        except KeyError:
            raise BadInput(f"The {self._what} lacks the field {name!r}.") from None

    def integer(self, name: str) -> int:
        text = self.text(name)
        try:
            return int(text)
        except ValueError:
            raise self._malformed(name, text) from None

    def number(self, name: str) -> float:
        text = self.text(name)
        try:
            value = float(text)
        except ValueError:
            raise self._malformed(name, text) from None
        if not math.isfinite(value):
            raise self._malformed(name, text)
        return value

    def document(self, name: str) -> dict[str, Any]:
        """A JSON object."""
        value = self.json(name)
        if not isinstance(value, dict):
            raise self._malformed(name, self.text(name))
        return value

    def array(self, name: str) -> list[Any]:
        """A JSON array."""
        value = self.json(name)
        if not isinstance(value, list):
            raise self._malformed(name, self.text(name))
        return value

    def json(self, name: str) -> Any:
        text = self.text(name)
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise self._malformed(name, text) from None

    def prefixed(self, prefix: str) -> dict[str, str]:
        """Fields whose names start with `prefix`, without it."""
        return {
            name.removeprefix(prefix): value
            for name, value in self._fields.items()
            if name.startswith(prefix)
        }

    def _malformed(self, name: str, text: str) -> BadInput:
        return BadInput(f"The field {name!r} of the {self._what} is malformed: {text[:60]!r}.")
