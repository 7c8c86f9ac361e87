"""The render stage's part in a session: frames of motion in, pictures of one encoder out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from lipstream.errors import Overloaded
from lipstream.gateway.sessions.lasting_call import LastingCall
from lipstream.gateway.sessions.motion_frame import MotionFrame
from lipstream.gateway.sessions.stage_call import StageCall
from lipstream.gateway.sessions.under_way import UnderWay
from lipstream.v1 import common_pb2, render_pb2

__all__ = ["Drawing"]

_DRAINED_S = 1.0
_PATIENCE_S = 15.0
_PAUSE_S = 0.1


class Drawing:
    """
    Args:
        open_call: makes the call, and again where the stage was lost.
        seen: takes what the stage has drawn.
        went_on: the call was made again; what the one before drew may be gone.
    """

    def __init__(
        self,
        open_call: Callable[[], Awaitable[StageCall]],
        seen: Callable[[render_pb2.RenderResponse], None],
        went_on: Callable[[], None],
    ) -> None:
        self._call = LastingCall(open_call, went_on)
        self._seen = seen
        self._under_way = UnderWay()
        self._drained = asyncio.Event()

    async def open(self, *, patiently: bool = False) -> None:
        """
        Args:
            patiently: wait for a place that was given up just now.

        Raises:
            LipstreamError: the stage is away, full, or refuses.
        """
        end_s = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return await self._call.open()
            except Overloaded:
                if not patiently or time.monotonic() > end_s:
                    raise
            await asyncio.sleep(_PAUSE_S)

    @property
    def has_room(self) -> bool:
        """Whether the stage may be given another frame."""
        return self._under_way.has_room

    @property
    def takes_us(self) -> int:
        """How long a picture took lately, microseconds."""
        return self._under_way.takes_us

    async def draw(self, header: common_pb2.LiveHeader, frame: MotionFrame) -> None:
        """Have a frame drawn."""
        self._under_way.begin(header.epoch, header.pts_us, time.monotonic())
        await self._call.write(render_pb2.RenderRequest(header=header, frames=frame.message()))

    async def interrupt(self, header: common_pb2.LiveHeader) -> None:
        """Have the stage drop what it still draws, and begin with a whole picture."""
        interrupt = common_pb2.Interrupt()
        await self._call.write(render_pb2.RenderRequest(header=header, interrupt=interrupt))

    async def drain(self) -> None:
        """Until all that is under way has been seen, or will not be for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAINED_S):
                while self._under_way:
                    self._drained.clear()
                    await self._drained.wait()

    async def see(self) -> None:
        """Pass on what is drawn, as long as it is not cancelled.

        Raises:
            LipstreamError: the stage refuses what it was sent, or stays away.
        """
        async with aclosing(self._call.messages()) as messages:
            async for message in messages:
                if message.HasField("frame"):
                    header = message.header
                    self._under_way.end(header.epoch, header.pts_us, time.monotonic())
                    self._drained.set()
                    self._seen(message)

    def forget(self) -> None:
        """Do not wait for what is under way."""
        self._under_way.forget()
        self._drained.set()

    def cancel(self) -> None:
        """End the call."""
        self._call.cancel()
