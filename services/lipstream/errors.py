"""One error tree for every stage, and the one table that maps it to the outside.

A stage core raises an error from this tree; nobody else decides what it means. The gRPC
server, the gateway and the stream consumer read the same row: a status for gRPC, a status
for HTTP, and whether a queued job is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = [
    "BadInput",
    "Cancelled",
    "Conflict",
    "Internal",
    "LipstreamError",
    "NotFound",
    "Outage",
    "Overloaded",
    "TooLarge",
    "Unavailable",
    "Verdict",
    "error_kind",
]


class Verdict(StrEnum):
    """What the stream consumer does with a message whose handler raised."""

    RETRY = "retry"
    """Give it another try after a backoff, up to the stream's bound; then dead-letter."""
    WAIT = "wait"
    """As `RETRY`, but the fault says nothing of this message: the bound is in time, not tries."""
    DEAD_LETTER = "dead_letter"
    """The same input will fail again: record the reason, fail the job, go on."""
    DROP = "drop"
    """Nobody waits for the result any more: acknowledge and forget."""


class LipstreamError(Exception):
    """Base of all errors that a user may see.

    Args:
        message: one sentence that names the problem.
        remedy: one sentence that says what to do about it, if there is something.
        figures: measured values that belong to it, names with their units.

    Attributes:
        code: a stable, machine-readable name, such as ``no_face``.
        grpc_status: name of the ``grpc.StatusCode``.
        http_status: HTTP status code.
        verdict: what a queue does with the message.
    """

    code: str = "internal"
    title: str = "Internal error"
    grpc_status: str = "INTERNAL"
    http_status: int = 500
    verdict: Verdict = Verdict.RETRY

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        code: str | None = None,
        figures: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.figures = dict(figures or {})
        if code is not None:
            self.code = code

    @property
    def retryable(self) -> bool:
        return self.verdict in (Verdict.RETRY, Verdict.WAIT)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class BadInput(LipstreamError):
    """The caller's data or parameters cannot be used."""

    code = "bad_input"
    title = "The input cannot be used"
    grpc_status = "INVALID_ARGUMENT"
    http_status = 422
    verdict = Verdict.DEAD_LETTER


class TooLarge(BadInput):
    """The caller's data is over a limit, which the message names."""

    code = "too_large"
    title = "The input is over a limit"
    grpc_status = "OUT_OF_RANGE"
    http_status = 413


class NotFound(LipstreamError):
    code = "not_found"
    title = "Not found"
    grpc_status = "NOT_FOUND"
    http_status = 404
    verdict = Verdict.DEAD_LETTER


class Conflict(LipstreamError):
    """The name is taken, or the resource is not in a state that allows the request."""

    code = "conflict"
    title = "Conflict"
    grpc_status = "ALREADY_EXISTS"
    http_status = 409
    verdict = Verdict.DEAD_LETTER


class Overloaded(LipstreamError):
    """No capacity now; the same request may succeed later."""

    code = "overloaded"
    title = "No capacity at the moment"
    grpc_status = "RESOURCE_EXHAUSTED"
    http_status = 429
    verdict = Verdict.WAIT


class Unavailable(LipstreamError):
    """A server that this one needs does not answer."""

    code = "unavailable"
    title = "A needed service does not answer"
    grpc_status = "UNAVAILABLE"
    http_status = 503


class Outage(Unavailable):
    """What all jobs need is gone and will be back: a store, a model server, space on a disk."""

    verdict = Verdict.WAIT


class Cancelled(LipstreamError):
    code = "cancelled"
    title = "Cancelled"
    grpc_status = "CANCELLED"
    http_status = 409
    verdict = Verdict.DROP


class Internal(LipstreamError):
    """A fault of ours. Users see this message, never the trace behind it."""


_KINDS: tuple[type[LipstreamError], ...] = (
    BadInput,
    Cancelled,
    Conflict,
    Internal,
    NotFound,
    Overloaded,
    TooLarge,
    Unavailable,
)
_BY_STATUS = {kind.grpc_status: kind for kind in _KINDS} | {"DEADLINE_EXCEEDED": Unavailable}


def error_kind(grpc_status: str) -> type[LipstreamError]:
    """The kind of error behind a gRPC status: what another process failed with."""
    return _BY_STATUS.get(grpc_status, Internal)
