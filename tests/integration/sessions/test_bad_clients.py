"""Clients that flood, never read and vanish, beside one that behaves."""

from __future__ import annotations

import asyncio
import time

import httpx
import numpy as np
import psutil
from websockets.asyncio.client import connect

from lipstream.client import MediaKind
from lipstream.face.arkit import INDEX
from lipstream.runtime.local_stack import LocalStack
from tests.integration.sessions.listener import Listener
from tests.portrait import AVATAR

_FRAME_US = 40_000
_FLOOD_S = 400
"""Of sound, sent at once; 300 s may wait."""
_GROWTH_BYTES = 60_000_000


def test_a_bad_client_costs_nobody_else_anything(stack: LocalStack) -> None:
    async def scenario() -> Listener:
        options = {"avatar": AVATAR, "output": "motion"}
        async with (
            httpx.AsyncClient(base_url=stack.url, trust_env=False, timeout=30) as web,
            Listener.opened(stack.url, **options) as good,
        ):
            bad = (await web.post("/v1/sessions", json=options)).raise_for_status().json()
            url = stack.url.replace("http", "ws") + bad["stream_url"]
            socket = await connect(f"{url}?token={bad['session_token']}", proxy=None, max_queue=1)
            await good.client.say("Bob put a maple table by the map.")
            second = bytes(2 * 24_000)
            for _ in range(_FLOOD_S):
                await socket.send(second)
            await good.until("agent.speak_finished")
            socket.transport.abort()  # vanishes without a word
            end_s = time.monotonic() + 30
            while (await web.get(f"/v1/sessions/{bad['id']}")).status_code != 404:
                assert time.monotonic() < end_s  # it is not kept for long without a client
                await asyncio.sleep(0.1)
            await good.client.say("Still here.")
            await good.until("agent.speak_finished", 2)
        return good

    gateway = psutil.Process(stack.pids["gateway"])
    before = gateway.memory_info().rss
    good = asyncio.run(scenario())
    assert gateway.memory_info().rss < before + _GROWTH_BYTES
    assert not good.of("error")
    assert not any(event["interrupted"] for event in good.of("agent.speak_finished"))
    frames = good.of_media(MediaKind.MOTION)
    assert max(np.frombuffer(frame.payload, "<f4")[INDEX["jawOpen"]] for frame in frames) > 0.05
    assert (np.diff([frame.pts_us for frame in frames]) % _FRAME_US == 0).all()
