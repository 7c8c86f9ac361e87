"""How a fit ended, as its process tells the avatar service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from lipstream.errors import BadInput, Internal, LipstreamError, Verdict, error_kind
from lipstream.runtime.job_context import JobContext
from lipstream.wire.fields import dump_json
from lipstream.wire.problem import Problem

__all__ = ["FitOutcome"]


@dataclass(frozen=True, slots=True)
class FitOutcome:
    results: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    problem: Problem | None = None
    """Why it failed."""
    status: str = ""
    """The error's gRPC status, which says of what kind it is."""
    verdict: Verdict = Verdict.RETRY
    """Whether its job is tried again, and whether that counts."""

    @classmethod
    def success(cls, context: JobContext) -> Self:
        return cls(context.results, context.warnings)

    @classmethod
    def failure(cls, error: BaseException) -> Self:
        if isinstance(error, MemoryError):
            error = Internal(
                "The fit ran out of memory.", remedy="Try a smaller input.", code="out_of_memory"
            )
        if not isinstance(error, LipstreamError):
            error = Internal("The fit failed; the fault is logged.")
        return cls(problem=Problem.of(error), status=error.grpc_status, verdict=error.verdict)

    def apply(self, context: JobContext) -> None:
        """Make it the outcome of this try.

        Raises:
            LipstreamError: what the fit failed with, of the same kind.
        """
        if self.problem is not None:
            error = error_kind(self.status)(
                self.problem.detail,
                remedy=self.problem.remedy,
                code=self.problem.code,
                figures=self.problem.figures,
            )
            error.title = self.problem.title
            error.verdict = self.verdict
            raise error
        for name, value in self.results.items():
            context.result(name, value)
        for sentence in self.warnings:
            context.warn(sentence)

    def encode(self) -> str:
        return dump_json(
            {
                "results": dict(self.results),
                "warnings": list(self.warnings),
                "problem": self.problem.encode() if self.problem else "",
                "status": self.status,
                "verdict": self.verdict,
            }
        )

    @classmethod
    def decode(cls, text: str) -> Self:
        """
        Raises:
            BadInput: `text` is no encoded outcome.
        """
        try:
            raw = json.loads(text)
            problem = Problem.decode(raw["problem"]) if raw["problem"] else None
            return cls(
                dict(raw["results"]),
                tuple(raw["warnings"]),
                problem,
                str(raw["status"]),
                Verdict(raw["verdict"]),
            )
        except (KeyError, TypeError, ValueError, RecursionError):
            raise BadInput(f"This is no outcome of a fit: {text[:60]!r}.") from None
