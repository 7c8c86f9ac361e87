"""A call to a stage that holds a state, which outlives the process behind it.

The stage sends its state now and then. What was sent to it since is kept; when the call is made
again, that is from this state, and what was kept is sent again. What then comes a second time is
left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from lipstream.gateway.sessions.lasting_call import LastingCall
from lipstream.gateway.sessions.stage_call import StageCall

__all__ = ["StageState", "SteadyCall"]


@dataclass(frozen=True, slots=True)
class StageState:
    """What a stage said of itself; empty before its first word."""

    data: bytes = b""
    input_us: int = 0
    """The time of what it will hear next, on its own clock."""


class SteadyCall(LastingCall):
    """
    Args:
        open_call: makes the call from a state, or from the beginning where it is empty.
        state: to go on from.
    """

    def __init__(
        self,
        open_call: Callable[[bytes], Awaitable[StageCall]],
        state: StageState = StageState(),
    ) -> None:
        super().__init__(self._open_from_state)
        self._open_from = open_call
        self.state = state
        self._sent: deque[Any] = deque()
        """Messages that the state does not hold yet."""
        self._moving = False
        self._given_us: int | None = None

    async def write(self, message: Any) -> None:
        """Send a message, now or when there is a call again."""
        self._sent.append(message)
        await super().write(message)

    async def messages(self) -> AsyncGenerator[Any, None]:
        """What the stage answers, each answer once, in order of their times."""
        async with aclosing(super().messages()) as messages:
            async for message in messages:
                if message.HasField("snapshot"):
                    self._keep(message)
                elif self._is_new(message):
                    yield message

    async def _open_from_state(self) -> StageCall:
        return await self._open_from(self.state.data)

    async def _move(self) -> None:
        # Another call begins at the state of now: what it does not hold must stay.
        self._moving = True
        try:
            await super()._move()
        finally:
            self._moving = False

    async def _take_up(self, call: StageCall) -> None:
        # What is written meanwhile is kept, and sent in its turn.
        sent = 0
        while sent < len(self._sent):
            await call.write(self._sent[sent])
            sent += 1

    def _keep(self, message: Any) -> None:
        if self._moving:
            return
        self.state = StageState(message.snapshot.state, message.header.pts_us)
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
