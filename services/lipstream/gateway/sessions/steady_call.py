"""A call to a stage that outlives the process behind it.

The stage sends its state now and then. What was sent to it since is kept; when the call breaks, it
is made again from that state, to whichever replica answers, and what was kept is sent again. What
then comes a second time is left out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from lipstream.errors import LipstreamError, Unavailable
from lipstream.gateway.sessions.stage_calls import StageCall

__all__ = ["SteadyCall", "reopened"]

logger = logging.getLogger(__name__)

_PATIENCE_S = 15.0
_PAUSE_S = 0.1


class SteadyCall:
    """
    Args:
        open_call: makes the call from a state, or from the beginning where it is empty.
    """

    def __init__(self, open_call: Callable[[bytes], Awaitable[StageCall]]) -> None:
        self._open_call = open_call
        self._call: StageCall | None = None
        self._state = b""
        self._sent: deque[Any] = deque()
        """Messages that the state does not hold yet."""
        self._given_us: int | None = None
        self.breaks = 0

    async def open(self) -> None:
        """
        Raises:
            LipstreamError: the stage is away, or refuses.
        """
        self._call = await self._open_call(b"")

    async def write(self, message: Any) -> None:
        """Send a message, now or when there is a call again."""
        self._sent.append(message)
        call = self._call
        if call is not None:
            try:
                await call.write(message)
            except Unavailable:
                # Who reads makes another, and may have done so by now.
                if self._call is call:
                    self._call = None

    async def messages(self) -> AsyncGenerator[Any, None]:
        """What the stage answers, each answer once, in order of their times.

        Raises:
            LipstreamError: the stage refuses what it was sent, or stays away.
        """
        while True:
            call = self._call
            try:
                if call is None:
                    raise Unavailable("The call broke while it was written to.")
                async for message in call.messages():
                    if message.HasField("snapshot"):
                        self._keep(message)
                    elif self._is_new(message):
                        yield message
            except Unavailable:
                self._call = None
                self.breaks += 1
                await self._again()

    def cancel(self) -> None:
        if self._call is not None:
            self._call.cancel()

    async def _again(self) -> None:
        call = await reopened(lambda: self._open_call(self._state))
        # What is written meanwhile is kept, and sent in its turn.
        sent = 0
        try:
            while sent < len(self._sent):
                await call.write(self._sent[sent])
                sent += 1
        except Unavailable:
            return
        self._call = call

    def _keep(self, message: Any) -> None:
        self._state = message.snapshot.state
        while self._sent and self._sent[0].header.pts_us < message.header.pts_us:
            self._sent.popleft()

    def _is_new(self, message: Any) -> bool:
        if message.WhichOneof("payload") not in ("features", "frames"):
            return True
        pts_us = message.header.pts_us
        if self._given_us is not None and pts_us <= self._given_us:
            return False
        self._given_us = pts_us
        return True


async def reopened(open_call: Callable[[], Awaitable[StageCall]]) -> StageCall:
    """Try until the stage answers.

    Raises:
        LipstreamError: it refuses, or stays away.
    """
    end_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return await open_call()
        except Unavailable as error:
            if time.monotonic() > end_s:
                raise
            logger.info("a stage is away: %s", error.message)
        except LipstreamError:
            raise
        await asyncio.sleep(_PAUSE_S)
