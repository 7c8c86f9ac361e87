"""One live stream through a stage: configuration first, epochs, interrupts, bounded queues.

The contract is in `common.proto`. A lane reads ahead of the stage, so that it sees an interrupt
while the stage still computes what the interrupt makes stale; that work and all that waits behind
it is dropped at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any, Generic, Protocol, TypeVar

from lipstream.errors import BadInput
from lipstream.runtime.compute import ComputePool

__all__ = ["LiveLane", "LiveStage"]

_LONGEST_QUEUE = 256

# Messages of the generated classes; they share `header` and the oneof `payload`.
RequestT = TypeVar("RequestT", bound=Any)
ResponseT = TypeVar("ResponseT", covariant=True, bound=Any)


class LiveStage(Protocol[ResponseT]):
    """A stage's work for one stream. Called from one thread at a time."""

    def begin(self, epoch: int) -> None:
        """A new utterance: start from the initial state."""
        ...

    def handle(self, request: Any) -> Iterator[ResponseT]:
        """What one message leads to; computed step by step, so that it can be dropped midway."""
        ...

    def interrupted(self, request: Any) -> ResponseT:
        """The answer to an interrupt."""
        ...


class LiveLane(Generic[RequestT, ResponseT]):
    """
    Args:
        compute: where the stage's work runs.
        start: makes the stage's work from the first message.
    """

    def __init__(
        self, compute: ComputePool, start: Callable[[RequestT], LiveStage[ResponseT]]
    ) -> None:
        self._compute = compute
        self._start = start
        self._waiting: deque[RequestT] = deque()
        self._changed = asyncio.Condition()
        self._floor = 0
        self._ended = False
        self._failure: BaseException | None = None

    async def run(self, requests: AsyncIterator[RequestT]) -> AsyncIterator[ResponseT]:
        """Responses to a stream of requests, in order.

        Raises:
            BadInput: the first message holds no configuration, or a later one holds another.
            LipstreamError: whatever the stage raises.
        """
        first = await anext(requests, None)
        if first is None:
            return
        if _kind(first) != "config":
            raise BadInput(
                "The first message of the stream holds no configuration.",
                remedy="Send `config` first.",
                code="no_config",
            )
        stage = await self._compute.run(self._start, first)
        epoch = first.header.epoch
        stage.begin(epoch)
        reader = asyncio.create_task(self._read(requests))
        try:
            async for response in self._responses(stage, first):
                yield response
            while (request := await self._next()) is not None:
                if _kind(request) == "config":
                    raise BadInput("A stream is configured once.", code="second_config")
                if request.header.epoch != epoch:
                    epoch = request.header.epoch
                    stage.begin(epoch)
                async for response in self._responses(stage, request):
                    yield response
        finally:
            reader.cancel()

    async def _responses(
        self, stage: LiveStage[ResponseT], request: RequestT
    ) -> AsyncIterator[ResponseT]:
        if _kind(request) == "interrupt":
            yield stage.interrupted(request)
            return
        async with aclosing(self._compute.iterate(stage.handle(request))) as responses:  # type: ignore[type-var]
            async for response in responses:
                if request.header.epoch < self._floor:
                    return
                yield response

    async def _read(self, requests: AsyncIterator[RequestT]) -> None:
        try:
            async for request in requests:
                await self._add(request)
        except BaseException as error:
            self._failure = error
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def _add(self, request: RequestT) -> None:
        epoch = request.header.epoch
        async with self._changed:
            if _kind(request) == "interrupt" and epoch > self._floor:
                self._floor = epoch
                kept = [r for r in self._waiting if r.header.epoch >= epoch]
                self._waiting = deque(kept)
            if epoch < self._floor:
                return
            await self._changed.wait_for(lambda: len(self._waiting) < _LONGEST_QUEUE)
            self._waiting.append(request)
            self._changed.notify_all()

    async def _next(self) -> RequestT | None:
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._waiting) or self._ended)
            if self._waiting:
                request = self._waiting.popleft()
                self._changed.notify_all()
                return request
            if self._failure is not None:
                raise self._failure
            return None


def _kind(request: Any) -> str:
    kind: str | None = request.WhichOneof("payload")
    return kind or ""
