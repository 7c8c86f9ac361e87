"""Where the live path computes: in threads, so that the event loop only moves messages."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import ParamSpec, TypeVar

from lipstream.runtime.stepped import Stepped

__all__ = ["ComputePool"]

P = ParamSpec("P")
T = TypeVar("T")


class ComputePool:
    """A bounded set of threads. numpy, numba and onnxruntime let others run while they compute."""

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="compute")

    def opened(self) -> AbstractContextManager[None]:
        """Around the life of a stream: nobody waits for it here."""
        return nullcontext()

    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns, computed in a thread.

        A cancelled caller stops waiting; the thread ends its step, which should be short.
        """
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._executor, lambda: context.run(work, *args, **kwargs)
        )

    async def iterate(
        self, items: Iterator[T], *, stop: Callable[[], bool] = lambda: False
    ) -> AsyncGenerator[T, None]:
        """The items of a blocking iterator, each as soon as it is computed.

        One more than was asked for is computed ahead: so a thread is asked but once for a single
        item and the end behind it. When the caller stops early or is cancelled, a generator is
        closed as soon as its running step ends, so that it frees what it holds.

        Args:
            stop: asked in the thread before each item: whether to stop early.
        """
        steps = Stepped(items, stop, self._executor)
        try:
            async for item in steps:
                yield item
        finally:
            await asyncio.shield(steps.close())

    def close(self) -> None:
        """Take no more work; do not wait for what runs."""
        self._executor.shutdown(wait=False, cancel_futures=True)
