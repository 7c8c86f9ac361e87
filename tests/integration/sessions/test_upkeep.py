"""What sessions leave behind: a line in the log, and nothing else."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable

import httpx
import psutil
import redis

from lipstream.runtime.local_stack import LocalStack
from lipstream.wire.streams import sessions_stream
from tests.integration.sessions.listener import Listener
from tests.portrait import AVATAR

_SESSIONS = int(os.environ.get("LIPSTREAM_TEST_SESSIONS", "24"))
_AT_ONCE = 3
_STATES = ("silent", "speaking", "long", "interrupted", "drawn", "vanished", "unheard")


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
    """Dropped at random moments in all states."""
    rng = random.Random(7)

    async def one(state: str) -> None:
        if state == "unheard":
            return await _never_listened_to(stack.url)
        output = "video" if state == "drawn" else "motion"
        async with Listener.opened(stack.url, avatar=AVATAR, output=output, size=64) as listener:
            if state != "silent":
                repeated = 5 if state == "long" else 1
                await listener.client.say("We have five views of the moon. " * repeated)
            await asyncio.sleep(0.3 * rng.random())
            if state == "interrupted":
                await listener.client.interrupt()
            if state == "vanished":
                listener.client._socket.transport.abort()  # no farewell, as when a network goes

    async def some(first: int, count: int) -> None:
        for k in range(first, count, _AT_ONCE):
            await one(_STATES[k % len(_STATES)])

    async def crowd(count: int) -> None:
        await asyncio.gather(*(some(first, count) for first in range(_AT_ONCE)))

    asyncio.run(crowd(4 * len(_STATES)))  # all pools are filled
    processes = {name: psutil.Process(pid) for name, pid in stack.pids.items()}
    gateway = processes["gateway"]
    client = redis.Redis.from_url(stack.redis_url)
    before = gateway.memory_info().rss, client.dbsize()
    files = {name: own.num_fds() for name, own in processes.items()}
    asyncio.run(crowd(_SESSIONS))
    _until(lambda: all(own.num_fds() <= files[name] + 4 for name, own in processes.items()))
    # What pools take once, and less than a tenth of one session's samples, frames and snapshots.
    assert gateway.memory_info().rss < before[0] + 6e6 + 15e3 * _SESSIONS
    assert client.dbsize() == before[1]
    for own in processes.values():
        assert own.num_threads() < 100


async def _never_listened_to(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        answer = await http.post("/v1/sessions", json={"avatar": AVATAR, "output": "motion"})
        assert (await http.delete(f"/v1/sessions/{answer.json()['id']}")).status_code == 204


def _until(true: Callable[[], bool], within_s: float = 15) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
