"""Where the live path computes: in threads, so that the event loop only moves messages."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

__all__ = ["ComputePool"]

P = ParamSpec("P")
T = TypeVar("T")


class ComputePool:
    """A bounded set of threads. numpy, numba and onnxruntime let others run while they compute."""

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="compute")

    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns, computed in a thread.

        A cancelled caller stops waiting; the thread ends its step, which should be short.
        """
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._executor, lambda: context.run(work, *args, **kwargs)
        )

    async def iterate(self, items: Iterator[T]) -> AsyncGenerator[T, None]:
        """The items of a blocking iterator, each computed when it is asked for.

        When the caller stops early or is cancelled, a generator is closed as soon as its running
        step ends, so that it frees what it holds.
        """
        end = object()
        step: asyncio.Future[object] | None = None
        try:
            while True:
                step = asyncio.ensure_future(self.run(next, items, end))
                # Shielded: a cancelled step goes on in its thread, and must be waited for.
                if (item := await asyncio.shield(step)) is end:
                    return
                yield item  # type: ignore[misc]
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                await asyncio.shield(self._close(step, close))

    async def _close(self, step: asyncio.Future[object] | None, close: Callable[[], None]) -> None:
        if step is not None:
            await asyncio.gather(step, return_exceptions=True)
        await self.run(close)

    def close(self) -> None:
        """Take no more work; do not wait for what runs."""
        self._executor.shutdown(wait=False, cancel_futures=True)
