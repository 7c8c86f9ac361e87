"""What sessions leave behind: a line in the log, and nothing else."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import psutil
import redis

from lipstream.runtime.local_stack import LocalStack
from lipstream.wire.streams import sessions_stream
from tests.integration.sessions.listener import Listener
from tests.portrait import AVATAR

_SESSIONS = 40
_AT_ONCE = 3


def test_a_sessions_life_is_written_down(stack: LocalStack) -> None:
    async def scene() -> str:
        async with Listener.opened(stack.url, avatar=AVATAR, output="motion") as listener:
            await listener.client.say("Hello there, you.")
            await listener.until("agent.speak_started")
            await asyncio.sleep(0.3)
            await listener.client.interrupt()
            await listener.until("agent.speak_finished")
            return str(listener.client.session["id"])

    session_id = asyncio.run(scene())
    client = redis.Redis.from_url(stack.redis_url, decode_responses=True)
    found: list[dict[str, str]] = []

    def ended() -> bool:
        lines = client.xrange(sessions_stream())
        found[:] = [line for _, line in lines if line["session"] == session_id]  # type: ignore
        return bool(found) and {"dropped", "ended"} <= {line["event"] for line in found}

    _until(ended)
    events = [line["event"] for line in found]
    assert [line["stage"] for line in found[:2]] == ["motion", "audio"]
    assert events[:5] == ["placed", "placed", "opened", "connected", "spoke"]
    spoke, ending = found[4], found[events.index("ended")]
    assert spoke["interrupted"] == "1"
    assert 100 < int(spoke["heard_ms"]) < 2000
    assert ending["reason"] == "deleted"
    assert int(ending["duration_ms"]) > int(spoke["heard_ms"])


def test_sessions_that_come_and_go_leave_nothing(stack: LocalStack) -> None:
    """Dropped in all states: silent, speaking, synthesising, interrupted, never listened to."""
    rng = random.Random(7)

    async def one(kind: int) -> None:
        async with Listener.opened(stack.url, avatar=AVATAR, output="motion") as listener:
            if kind:
                await listener.client.say("We have five views of the moon. " * kind)
            await asyncio.sleep(0.3 * rng.random())
            if kind == 3:
                await listener.client.interrupt()

    async def some(first: int) -> None:
        for k in range(first, _SESSIONS, _AT_ONCE):
            await one(k % 4)

    async def crowd() -> None:
        await asyncio.gather(*(some(first) for first in range(_AT_ONCE)))

    asyncio.run(crowd())  # all pools are filled
    gateway = psutil.Process(stack.pids["gateway"])
    client = redis.Redis.from_url(stack.redis_url)
    before = (gateway.num_fds(), gateway.memory_info().rss, client.dbsize())
    asyncio.run(crowd())
    _until(lambda: gateway.num_fds() <= before[0] + 1)
    assert gateway.memory_info().rss < before[1] + 8e6
    assert client.dbsize() == before[2]
    for stage in ("audio", "motion"):
        assert psutil.Process(stack.pids[stage]).num_threads() < 100


def _until(true: Callable[[], bool], within_s: float = 15) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
