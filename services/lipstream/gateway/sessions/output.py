"""What a session gives beside its sound, which may change from one frame to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from lipstream.errors import LipstreamError, Overloaded
from lipstream.gateway.sessions.drawing import Drawing
from lipstream.gateway.sessions.options import SessionOutput

__all__ = ["Output"]


class Output:
    """Pictures of one encoder after the other, or none while motion is given.

    Args:
        wish: of the beginning.
        make: a drawing that was not opened yet.
        guarded: does what may fail, and then ends the session.
    """

    def __init__(
        self,
        wish: SessionOutput,
        make: Callable[[SessionOutput], Drawing],
        guarded: Callable[[Awaitable[None]], Coroutine[Any, Any, None]],
    ) -> None:
        self.wish = wish
        self.drawing: Drawing | None = None
        """None while motion is given, and no pictures."""
        self._make = make
        self._guarded = guarded
        self._seeing: asyncio.Task[None] | None = None
        self._one_switch = asyncio.Lock()
        self._switching = False

    @property
    def has_room(self) -> bool:
        """Whether another frame may be drawn, or given."""
        return not self._switching and (self.drawing is None or self.drawing.has_room)

    @property
    def takes_us(self) -> int:
        """How long a picture took lately, microseconds."""
        return 0 if self.drawing is None else self.drawing.takes_us

    async def open(self) -> None:
        """
        Raises:
            LipstreamError: the render stage is away, full, or refuses.
        """
        self._take(await self._opened(self.wish))

    async def switch(
        self, changes: Mapping[str, Any], refused: Callable[[LipstreamError], None]
    ) -> bool:
        """Go over to an output with these fields changed.

        Args:
            refused: is told why, where all stays as it is.

        Returns: whether it was done.

        Raises:
            LipstreamError: the old one was put down, and the new one cannot be drawn.
        """
        async with self._one_switch:
            wish = self.wish.model_copy(update=changes)
            try:
                drawing = await self._opened(wish)
            except LipstreamError as error:
                if not isinstance(error, Overloaded) or self.drawing is None:
                    refused(error)
                    return False
                # There is no place for two at once: a short freeze.
                await self._put_down()
                drawing = await self._opened(wish, patiently=True)
            try:
                await self._put_down()
            except BaseException:
                if drawing is not None:
                    drawing.cancel()
                raise
            self.wish, self._switching = wish, False
            self._take(drawing)
            return True

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """What waits for pictures, to be cancelled at the end."""
        return set() if self._seeing is None else {self._seeing}

    def cancel(self) -> None:
        """End the call."""
        if self.drawing is not None:
            self.drawing.cancel()

    async def _opened(self, wish: SessionOutput, *, patiently: bool = False) -> Drawing | None:
        if wish.kind != "video":
            return None
        drawing = self._make(wish)
        await drawing.open(patiently=patiently)
        return drawing

    def _take(self, drawing: Drawing | None) -> None:
        """Have the frames from now on drawn by this, or by the client."""
        self.drawing = drawing
        if drawing is not None:
            self._seeing = asyncio.create_task(self._guarded(drawing.see()))

    async def _put_down(self) -> None:
        """Have no more drawn: the pictures of two encoders must not mix."""
        self._switching = True
        if self.drawing is not None and self._seeing is not None:
            await self.drawing.drain()
            self._seeing.cancel()
            self.drawing.cancel()
        self.drawing = self._seeing = None
