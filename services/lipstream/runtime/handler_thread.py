"""Runs one try of a handler in a thread of its own.

Not in a pool: a pool would wait at exit for a handler that does not stop, and a handler that hangs
would keep a place in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading

from lipstream.errors import Internal
from lipstream.runtime.job_context import Handler, JobContext

__all__ = ["run_in_thread"]


def run_in_thread(handle: Handler, context: JobContext) -> asyncio.Future[None]:
    """Start a handler; the future ends with it, in the calling event loop."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(None)
        elif isinstance(error, Exception):
            future.set_exception(error)
        else:
            future.set_exception(Internal(f"The handler ended with {type(error).__name__}."))

    def run() -> None:
        error: BaseException | None = None
        try:
            handle(context)
        except BaseException as raised:
            error = raised
        # The loop is closed when the process is leaving and no longer waits for this thread.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, error)

    copy = contextvars.copy_context()
    threading.Thread(
        target=copy.run, args=(run,), name=f"{context.stage.name}-job", daemon=True
    ).start()
    return future
