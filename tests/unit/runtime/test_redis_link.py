"""The link to Redis, where Redis itself does not matter."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from lipstream.runtime.redis_link import RedisLink


def test_a_cancellation_that_the_client_forgets_is_heeded() -> None:
    async def scenario() -> None:
        asked = asyncio.Event()

        async def ask() -> str:
            asked.set()
            # As `asyncio.wait_for` does before Python 3.12 when the answer comes just then.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            return "an answer"

        link = RedisLink("redis://127.0.0.1:1")
        call = asyncio.create_task(link.call(ask))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await link.close()

    asyncio.run(scenario())
