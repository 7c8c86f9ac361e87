"""A client's side of a live stream, message by message."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

import grpc
import pytest

from lipstream.errors import LipstreamError
from lipstream.runtime.grpc_problems import error_of

__all__ = ["LONGEST_S", "LiveCall", "failure_of"]

LONGEST_S = 60.0

RequestT = TypeVar("RequestT")


class LiveCall(Generic[RequestT]):
    """
    Args:
        method: of a stub.
        requests: what is sent at once.
    """

    def __init__(self, method: Callable[..., Any], *requests: RequestT) -> None:
        self._queue: SimpleQueue[RequestT | None] = SimpleQueue()
        self._responses: Any = method(iter(self._queue.get, None), timeout=LONGEST_S)
        self.send(*requests)

    def send(self, *requests: RequestT) -> None:
        for request in requests:
            self._queue.put(request)

    def read(self) -> Any:
        """The next answer."""
        return next(self._responses)

    def read_until(self, kind: str) -> list[Any]:
        """Answers up to the first of that kind, which comes last."""
        answers = [self.read()]
        while not answers[-1].HasField(kind):
            answers.append(self.read())
        return answers

    def finish(self) -> list[Any]:
        """Close this side; the rest of the answers."""
        self._queue.put(None)
        return list(self._responses)

    def cancel(self) -> None:
        self._responses.cancel()
        self._queue.put(None)


def failure_of(method: Callable[..., Any], *requests: Any) -> LipstreamError:
    """What a stream of these requests fails with; it must have a problem and no answer."""
    return problem_of(lambda: list(method(iter(requests), timeout=LONGEST_S)))


def problem_of(call: Callable[[], Any]) -> LipstreamError:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    failure: Any = caught.value
    assert "lipstream-problem-bin" in dict(failure.trailing_metadata() or ()), failure
    error = error_of(failure)
    assert failure.code().name == error.grpc_status
    return error
