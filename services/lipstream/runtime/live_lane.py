"""One live stream through a stage: configuration first, epochs, interrupts, bounded work ahead.

The contract is in `common.proto`. A task of its own reads the stream into a `LiveInbox`, so that
an interrupt is seen while the stage still computes what it makes stale: the stage ends the step
that it is in, and nothing more of that work is done or sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, aclosing
from typing import Any, Generic, Protocol, TypeVar

from google.protobuf.message import DecodeError

from lipstream.errors import BadInput
from lipstream.runtime.live_inbox import LiveInbox
from lipstream.runtime.tracing import span

__all__ = ["LiveLane", "LiveStage"]

_FURTHEST_US = 1 << 62
"""Leaves room to count on from there in 64 bits."""

# Messages of the generated classes; they share `header` and the oneof `payload`.
RequestT = TypeVar("RequestT", bound=Any)
T = TypeVar("T")
ResponseT = TypeVar("ResponseT", covariant=True, bound=Any)


class Compute(Protocol):
    """`ComputePool`, or `Turns` for stages that ask."""

    def opened(self) -> AbstractContextManager[None]: ...

    async def run(self, work: Callable[..., T], /, *args: Any) -> T: ...

    def iterate(
        self, items: Any, *, stop: Callable[[], bool] = ...
    ) -> AsyncGenerator[Any, None]: ...


class LiveStage(Protocol[ResponseT]):
    """A stage's work for one stream, made ready for the epoch of the first message.

    Called from one thread at a time.
    """

    def begin(self, epoch: int) -> None:
        """A new utterance: start from the initial state."""
        ...

    def handle(self, request: Any) -> Iterator[ResponseT | Any]:
        """What one message leads to; in short steps, since work is dropped between two of them.
        Questions among the answers are for `Turns`."""
        ...

    def interrupted(self, request: Any) -> ResponseT:
        """The answer to an interrupt."""
        ...


class LiveLane(Generic[RequestT, ResponseT]):
    """
    Args:
        compute: where the stage's work runs.
        start: makes the stage's work from the first message.
        answered: gets the seconds from a message's arrival to the first of its answer.
    """

    def __init__(
        self,
        compute: Compute,
        start: Callable[[RequestT], LiveStage[ResponseT]],
        answered: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._compute = compute
        self._start = start
        self._answered = answered

    async def run(self, requests: AsyncIterator[RequestT]) -> AsyncGenerator[ResponseT, None]:
        """Responses to a stream of requests, in order. Close it to stop the work early.

        Raises:
            BadInput: the stream breaks the contract: its first message holds no configuration, a
                later one holds another, content follows the end of its epoch, and so on.
            LipstreamError: whatever the stage raises.
        """
        messages = _checked(requests)
        first = await anext(messages, None)
        if first is None:
            return
        inbox: LiveInbox[RequestT] = LiveInbox(first.header.epoch)
        reader = asyncio.create_task(_read(messages, inbox))
        try:
            stage = await self._compute.run(self._start, first)
            epoch = first.header.epoch
            request: RequestT | None = first
            with self._compute.opened():
                while request is not None:
                    # A keyframe overtakes content, maybe of an epoch that is not over.
                    if _kind(request) != "keyframe" and request.header.epoch != epoch:
                        epoch = request.header.epoch
                        await self._compute.run(stage.begin, epoch)
                    async with aclosing(self._responses(stage, request, inbox)) as responses:
                        async for response in responses:
                            yield response
                    request = await inbox.get()
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _responses(
        self, stage: LiveStage[ResponseT], request: RequestT, inbox: LiveInbox[RequestT]
    ) -> AsyncGenerator[ResponseT, None]:
        if _kind(request) == "interrupt":
            yield stage.interrupted(request)
            return
        arrived_s = inbox.arrived_s if _kind(request) != "config" else None
        steps = self._compute.iterate(stage.handle(request), stop=lambda: inbox.is_stale(request))
        async with aclosing(steps) as responses:
            async for response in responses:
                if arrived_s is not None:
                    lasted_s = time.perf_counter() - arrived_s
                    self._answered(lasted_s)
                    if parent := request.header.traceparent:
                        span("live step", parent=parent, lasted_s=lasted_s).end()
                    arrived_s = None
                if inbox.is_stale(request):
                    return
                yield response
                if inbox.is_stale(request):
                    return


async def _read(messages: AsyncIterator[RequestT], inbox: LiveInbox[RequestT]) -> None:
    try:
        async for request in messages:
            await inbox.put(request)
    except Exception as error:
        inbox.close(error)
    else:
        inbox.close()


async def _checked(requests: AsyncIterator[RequestT]) -> AsyncGenerator[RequestT, None]:
    """The stream's messages, as long as they keep to the contract."""
    configured = False
    try:
        async for request in requests:
            if not configured and _kind(request) != "config":
                raise BadInput(
                    "The first message of the stream holds no configuration.",
                    remedy="Send `config` first.",
                    code="no_config",
                )
            if configured and _kind(request) == "config":
                raise BadInput("A stream is configured once.", code="second_config")
            if abs(request.header.pts_us) > _FURTHEST_US:
                raise BadInput("The time of a message is out of range.", code="bad_time")
            configured = True
            yield request
    except DecodeError:
        raise BadInput(
            "A message of the stream cannot be read.",
            remedy="Generate the client from this release's protos.",
            code="malformed",
        ) from None


def _kind(request: Any) -> str:
    kind: str | None = request.WhichOneof("payload")
    return kind or ""
