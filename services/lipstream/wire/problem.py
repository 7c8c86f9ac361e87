"""Why something failed, in the words that users read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
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

    @classmethod
    def of(cls, error: LipstreamError) -> Self:
        return cls(error.code, error.title, error.message, error.remedy)

    def encode(self) -> str:
        return dump_json(asdict(self))

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
        if not all(isinstance(value, str) for value in asdict(problem).values()):
            raise BadInput("A problem document holds other than strings.")
        return problem
