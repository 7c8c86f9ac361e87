"""The error tree over gRPC: a status for the kind, a `Problem` in the trailing metadata for why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError

from lipstream.errors import LipstreamError, Unavailable, error_kind
from lipstream.v1 import common_pb2

if TYPE_CHECKING:
    import grpc

__all__ = ["PROBLEM_KEY", "error_of", "problem_metadata"]

_BROKEN = ("INTERNAL", "UNKNOWN")

PROBLEM_KEY = "lipstream-problem-bin"


def problem_metadata(error: LipstreamError) -> tuple[tuple[str, bytes], ...]:
    """Trailing metadata for a call that failed with `error`."""
    problem = common_pb2.Problem(
        code=error.code, title=error.title, detail=error.message, remedy=error.remedy
    )
    return ((PROBLEM_KEY, problem.SerializeToString()),)


def error_of(failure: grpc.RpcError) -> LipstreamError:
    """What a client raises for a call that failed: the same kind, words and code as the stage.

    A stage always says why. Where nothing is said, the call broke on its way: a killed process may
    show as UNAVAILABLE, INTERNAL (a stream that was reset) or UNKNOWN (one that was removed).
    """
    # Sync and aio calls share these methods, but no type that says so.
    call: Any = failure
    status: str = call.code().name
    kind = error_kind(status)
    for key, value in call.trailing_metadata() or ():
        if key != PROBLEM_KEY:
            continue
        try:
            problem = common_pb2.Problem.FromString(value)
        except DecodeError:
            break
        return kind(problem.detail, remedy=problem.remedy, code=problem.code or None)
    if status in _BROKEN:
        kind = Unavailable
    return kind(call.details() or f"The call failed with {status}.")
