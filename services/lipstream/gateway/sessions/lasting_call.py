"""A call to a stage that outlives the process behind it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from lipstream.errors import LipstreamError, Overloaded, Unavailable
from lipstream.gateway.sessions.stage_call import StageCall

__all__ = ["LastingCall"]

logger = logging.getLogger(__name__)

_PATIENCE_S = 15.0
_PAUSE_S = 0.1


class LastingCall:
    """When its replica breaks the call, it is made again, to whichever replica has a place. When
    the replica is about to end, it is made on another one first, and then left on the old one.

    What is written while there is no call is dropped; see `SteadyCall` for a call that keeps it.

    Args:
        open_call: makes the call.
        went_on: called when the call was made again.
    """

    def __init__(
        self,
        open_call: Callable[[], Awaitable[StageCall]],
        went_on: Callable[[], None] = lambda: None,
    ) -> None:
        self._open_call = open_call
        self._went_on = went_on
        self._call: StageCall | None = None
        self._over = False
        self._one_move = asyncio.Lock()
        self._handing_on: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """
        Raises:
            LipstreamError: the stage is away, full, or refuses.
        """
        self._hold(await self._open_call())

    async def write(self, message: Any) -> None:
        """Send a message, if there is a call to send it on."""
        if self._call is not None:
            with contextlib.suppress(Unavailable):  # who reads makes another
                await self._call.write(message)

    async def messages(self) -> AsyncGenerator[Any, None]:
        """What the stage answers, from one call after the other.

        Raises:
            LipstreamError: the stage refuses what it was sent, or stays away.
        """
        while (call := self._call) is not None:
            try:
                async with aclosing(call.messages()) as messages:
                    async for message in messages:
                        yield message
                        if self._call is not call:
                            break
            except Unavailable:
                await self._again(call)

    def cancel(self) -> None:
        """End the call; who reads its messages comes to their end."""
        self._over = True
        if self._handing_on is not None:
            self._handing_on.cancel()
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    async def _take_up(self, call: StageCall) -> None:
        """Bring a new call to where the old one was.

        Raises:
            Unavailable: it broke.
        """

    async def _move(self) -> None:
        """
        Raises:
            LipstreamError: no other call can be made.
        """
        call = await self._open_call()
        try:
            await self._take_up(call)
            if self._over:
                raise Unavailable("The session has ended.")
        except BaseException:
            call.cancel()
            raise
        left = self._call
        self._hold(call)
        if left is not None:
            left.leave()
        self._went_on()

    async def _again(self, broken: StageCall) -> None:
        """Try until a stage answers, if nobody has made another call meanwhile.

        Raises:
            LipstreamError: it refuses, or stays away.
        """
        end_s = time.monotonic() + _PATIENCE_S
        while True:
            async with self._one_move:
                if self._call is not broken:
                    return
                try:
                    await self._move()
                except (Unavailable, Overloaded) as error:
                    if time.monotonic() > end_s:
                        raise
                    logger.info("a stage is away: %s", error.message)
            await asyncio.sleep(_PAUSE_S)

    def _hold(self, call: StageCall) -> None:
        self._call = call
        call.asked_to_leave = self._hand_on

    def _hand_on(self) -> None:
        if self._handing_on is None or self._handing_on.done():
            self._handing_on = asyncio.create_task(self._leave())

    async def _leave(self) -> None:
        async with self._one_move:
            try:
                await self._move()
            except LipstreamError as error:
                logger.info("a session could not be handed on: %s", error.message)
