"""One bidirectional call of one session to one replica of a stage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import grpc
import grpc.aio

from lipstream.errors import LipstreamError, Unavailable
from lipstream.runtime.grpc_interceptor import ADMITTED_KEY
from lipstream.runtime.grpc_problems import error_of
from lipstream.wire.replica import Replica

__all__ = ["StageCall"]


class StageCall:
    """Messages in, messages out, in any interleaving.

    Args:
        call: of a stub.
        replica: that serves it.
        left: called when the replica broke the call, or it was left for another.
    """

    def __init__(self, call: Any, replica: Replica, left: Callable[[StageCall], None]) -> None:
        self.replica = replica
        self.is_admitted = False
        self.asked_to_leave: Callable[[], None] = lambda: None
        """Called when the replica is about to end, or no longer gives a sign of life; maybe more
        than once. Set by who can go on elsewhere."""
        self.why_left = ""
        """`draining`, `silent`, or `lost` when the replica broke the call."""
        self._why = "lost"
        self._call = call
        self._left = left
        self._one_write = asyncio.Lock()

    async def admitted(self) -> None:
        """Wait until the replica has a place for this call.

        Raises:
            LipstreamError: it has none, or does not answer.
        """
        metadata = await self._call.initial_metadata()
        if ADMITTED_KEY not in dict(metadata or ()):
            raise await self._failure()
        self.is_admitted = True

    async def write(self, message: Any) -> None:
        """
        Raises:
            LipstreamError: the call has ended; why, in the stage's own words.
        """
        try:
            async with self._one_write:
                await self._call.write(message)
        except (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.InvalidStateError):
            raise await self._failure() from None
        except asyncio.CancelledError:
            self._check_left()
            raise

    async def read(self) -> Any:
        """The next message.

        Raises:
            LipstreamError: the call failed, or ended although nobody had asked for it.
        """
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError:
            raise await self._failure() from None
        except asyncio.CancelledError:
            self._check_left()
            raise
        if message is grpc.aio.EOF:
            raise await self._failure()
        return message

    async def messages(self) -> AsyncGenerator[Any, None]:
        """
        Raises:
            LipstreamError: as `read`.
        """
        while True:
            yield await self.read()

    def hand_on(self, why: str) -> None:
        """Ask who holds this call to go on elsewhere."""
        self._why = why
        self.asked_to_leave()

    def leave(self) -> None:
        """End it, after going on elsewhere."""
        self._ended(self._why)
        self._call.cancel()

    def cancel(self) -> None:
        self._call.cancel()

    def when_done(self, then: Callable[[], None]) -> None:
        self._call.add_done_callback(lambda call: then())

    def _check_left(self) -> None:
        """A call that was cancelled cancels who waits for it, as if that had been asked for.

        Raises:
            Unavailable: it was not; the call was left for another.
        """
        task = asyncio.current_task()
        if self.why_left and task is not None and not task.cancelling():
            raise Unavailable("The call was left for another.") from None

    async def _failure(self) -> LipstreamError:
        code = await self._call.code()
        if code in (grpc.StatusCode.OK, grpc.StatusCode.CANCELLED):
            # A process that ends cancels what it still serves; so do we, when we go on elsewhere.
            self._ended("lost")
            return Unavailable("A stage ended the session.", remedy="Open another session.")
        failure = grpc.aio.AioRpcError(
            code,
            await self._call.initial_metadata(),
            await self._call.trailing_metadata(),
            await self._call.details(),
        )
        error = error_of(failure)
        if isinstance(error, Unavailable):
            self._ended("lost")
        return error

    def _ended(self, why: str) -> None:
        if not self.why_left:
            self.why_left = why
            self._left(self)
