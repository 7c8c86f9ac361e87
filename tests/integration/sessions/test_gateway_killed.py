"""Sessions outlive the gateway that held them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import redis

from lipstream.client import LiveClient, MediaKind
from lipstream.errors import BadInput
from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.settings import Settings
from lipstream.wire.streams import kept_sessions, session_key, sessions_stream
from tests.integration.sessions.listener import Listener
from tests.portrait import AVATAR

_FRAME_US = 40_000


@pytest.fixture
def other(stack: LocalStack, tmp_path: Path) -> Iterator[LocalStack]:
    """Another gateway, without stages of its own."""
    settings = Settings(data_dir=tmp_path, redis=stack.redis_url, store=stack.store_url)
    with LocalStack(settings, stages=()) as running:
        yield running


def test_a_session_outlives_its_killed_gateway(stack: LocalStack) -> None:
    client = redis.Redis.from_url(stack.redis_url, decode_responses=True)

    async def scene() -> tuple[Listener, dict[str, str]]:
        options = {"avatar": AVATAR, "output": "motion", "size": 64}
        async with Listener.opened(stack.url, **options) as listener:
            live = listener.client
            path = f"{stack.url}/v1/sessions/{live.session['id']}"
            await live.say("Hi!")
            await listener.until("agent.speak_finished")
            await live.direct(gaze={"yaw_deg": 20})
            await live.show(background="#102030")
            await live.say("We have five views of the moon. " * 5)
            await listener.until("agent.speak_started", 2)
            await asyncio.sleep(0.3)
            states = len(listener.of("session.state_updated"))
            os.kill(stack.pids["gateway"], signal.SIGKILL)
            back = await listener.until("session.state_updated", states + 1)
            assert back["state"] == "idle"
            await listener.until("agent.speak_finished", 2)
            known = len(listener.media)
            await listener.until_media(known + 25)
            await live.say("Baa!")
            await listener.until("agent.speak_finished", 3)
            document = httpx.get(path, trust_env=False).json()
            listener.media = listener.media[known:]
        await asyncio.to_thread(_until, lambda: not client.exists(session_key(document["id"])))
        return listener, document

    listener, document = asyncio.run(scene())
    assert not listener.of("error")
    finished = listener.of("agent.speak_finished")
    assert [event["interrupted"] for event in finished] == [False, True, False]
    assert finished[1]["utterance"] == 2
    assert finished[1]["playback_position_ms"] > 0
    assert document["background"] == "#102030"
    states = listener.of("session.state_updated")
    assert (np.diff([event["now_us"] for event in states]) > 0).all()
    motion = listener.of_media(MediaKind.MOTION)
    assert (np.diff([frame.pts_us for frame in motion]) % _FRAME_US == 0).all()
    frames = np.array([np.frombuffer(frame.payload, "<f4") for frame in motion])
    assert np.degrees(frames[-1, 58]) > 12  # it looks where it was asked to
    lines = client.xrange(sessions_stream())
    own = [line["event"] for _, line in lines if line["session"] == document["id"]]  # type: ignore
    assert own.count("resumed") == 1
    assert own.count("opened") == own.count("ended") == 1
    assert own.count("spoke") == 3


def test_a_session_moves_between_gateways(stack: LocalStack, other: LocalStack) -> None:
    client = redis.Redis.from_url(stack.redis_url, decode_responses=True)

    async def first_state(server: str, document: dict[str, str]) -> dict[str, Any]:
        async with LiveClient.attached(server, document) as live, aclosing(live.events()) as events:
            state = await anext(events)
            assert isinstance(state, dict)
            return state

    async def scene() -> list[dict[str, Any]]:
        options = {"avatar": AVATAR, "output": "motion"}
        async with httpx.AsyncClient(trust_env=False, timeout=30) as web:
            document = (await web.post(f"{stack.url}/v1/sessions", json=options)).json()
            path = f"/v1/sessions/{document['id']}"
            assert (await web.get(other.url + path)).json() == {**document, "session_token": None}
            with pytest.raises(BadInput) as wrong:
                await first_state(other.url, {**document, "session_token": "wrong"})
            assert wrong.value.code == "bad_token"
            states = [await first_state(server, document) for server in (stack.url, other.url)]
            await asyncio.to_thread(other.stop)
            states.append(await first_state(stack.url, document))
            assert (await web.delete(stack.url + path)).status_code == 204
            assert (await web.get(stack.url + path)).status_code == 404
        await asyncio.to_thread(_until, lambda: not client.exists(session_key(document["id"])))
        assert not client.hexists(kept_sessions(), document["id"])
        return states

    states = asyncio.run(scene())
    for before, after in pairwise(states):
        assert after["epoch"] > before["epoch"]
        assert after["now_us"] > before["now_us"]


def test_the_end_of_a_session_that_nobody_goes_on_with_is_logged_once(stack: LocalStack) -> None:
    client: Any = redis.Redis.from_url(stack.redis_url, decode_responses=True)
    options = {"avatar": AVATAR, "output": "motion"}
    opened = httpx.post(f"{stack.url}/v1/sessions", json=options, trust_env=False, timeout=30)
    session = opened.json()["id"]
    _until(lambda: bool(client.hexists(kept_sessions(), session)))
    os.kill(stack.pids["gateway"], signal.SIGKILL)
    client.delete(session_key(session))  # as when its time has passed

    def ends() -> list[dict[str, str]]:
        lines = [line for _, line in client.xrange(sessions_stream())]
        return [line for line in lines if (line["session"], line["event"]) == (session, "ended")]

    _until(lambda: bool(ends()), within_s=30)
    assert [line["reason"] for line in ends()] == ["abandoned"]
    assert 0 <= int(ends()[0]["duration_ms"]) < 30_000
    assert not client.hexists(kept_sessions(), session)


def _until(true: Callable[[], bool], within_s: float = 15) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
