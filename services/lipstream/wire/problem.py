"""Why something failed, in the words that users read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

from lipstream.errors import BadInput, LipstreamError
from lipstream.wire.fields import dump_json

__all__ = ["Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as data: kept with a failed job, sent with a failed call."""

    code: str
    title: str
    detail: str
    remedy: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Measured values that belong to it, names with their units."""

    @classmethod
    def of(cls, error: LipstreamError) -> Self:
        return cls(error.code, error.title, error.message, error.remedy, error.figures)

    def encode(self) -> str:
        document = asdict(self)
        if not self.figures:
            del document["figures"]  # as a program of an earlier version reads it
        return dump_json(document)

    @classmethod
    def decode(cls, text: str) -> Self:
        """
        Raises:
            BadInput: `text` is no encoded problem.
        """
        try:
            problem = cls(**json.loads(text))
        except (TypeError, ValueError, RecursionError):
            raise BadInput(f"This is no problem document: {text[:60]!r}.") from None
        texts = (problem.code, problem.title, problem.detail, problem.remedy)
        if not all(isinstance(text, str) for text in texts) or not _are_figures(problem.figures):
            raise BadInput("A problem document holds other than strings and figures.")
        return problem


def _are_figures(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(number, int | float) and not isinstance(number, bool)
        for number in value.values()
    )
