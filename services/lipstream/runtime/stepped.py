"""A blocking iterator's items on their way from threads to the event loop.

Each way to a thread and back costs more than many a step. So one item more is computed than is
asked for: for a single item and the end behind it, one way is enough.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Generic, Self, TypeVar

__all__ = ["Stepped"]

T = TypeVar("T")


class Stepped(Generic[T]):
    """An asynchronous iterator; call `close` in any case.

    Args:
        items: what is iterated, by one thread at a time.
        stop: asked before each item, in the thread: whether no more is to be computed.
        threads: where.
    """

    def __init__(self, items: Iterator[T], stop: Callable[[], bool], threads: Executor) -> None:
        self._items = items
        self._stop = stop
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._ready: deque[T] = deque()
        self._asked = 0
        self._computed = 0
        self._failure: BaseException | None = None
        self._wanted = True
        self._running = False
        self._ended = False
        self._changed = asyncio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        self._asked += 1
        while not self._ready:
            if self._failure is not None:
                raise self._failure
            if self._ended:
                raise StopAsyncIteration
            await self._more()
        return self._ready.popleft()

    async def close(self) -> None:
        """Compute no more; return when the running step has ended and a generator is closed."""
        self._wanted = False
        while not self._ended:
            await self._more()

    async def _more(self) -> None:
        """Have a thread go on; return when something has changed."""
        if not self._running:
            going = self._threads.submit(self._context.run, self._go)
            self._running = True
            going.add_done_callback(self._gone)
        self._changed.clear()
        await self._changed.wait()

    def _left(self, ended: bool, failure: BaseException | None) -> None:
        self._running = False
        self._ended, self._failure = ended, failure
        self._changed.set()

    # In a thread

    def _go(self) -> bool:
        """Compute until one more is ready than was asked for; whether that was all."""
        while self._wanted and not self._stop():
            if self._computed > self._asked:
                return False
            try:
                self._ready.append(next(self._items))
            except StopIteration:
                return True
            self._computed += 1
            self._tell(self._changed.set)
        close = getattr(self._items, "close", None)
        if close is not None:
            close()
        return True

    def _gone(self, going: Future[bool]) -> None:
        if going.cancelled():  # the threads are being closed
            self._tell(self._left, True, asyncio.CancelledError())
        elif (failure := going.exception()) is not None:
            self._tell(self._left, True, failure)
        else:
            self._tell(self._left, going.result(), None)

    def _tell(self, what: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone, and so is who waits
            self._loop.call_soon_threadsafe(what, *arguments)
