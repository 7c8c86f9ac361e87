"""Live sessions over replicas: placed by their room, moved when a replica ends or dies."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack

import httpx
import numpy as np
import pytest

from lipstream.client import MediaKind
from lipstream.runtime.local_stack import LocalStack
from tests.integration.placement.conftest import CAPACITY, LIVE_STAGES
from tests.integration.placement.witness import Witness, until
from tests.integration.sessions.listener import Listener
from tests.portrait import AVATAR

_FRAME_US = 40_000


@pytest.fixture
def witness(stack: LocalStack) -> Witness:
    """When all replicas are there and free."""
    found = Witness(stack)
    for stage in LIVE_STAGES:
        until(lambda stage=stage: [r.live for r in found.replicas(stage)] == [0, 0])  # type: ignore
    return found


def test_sessions_fill_replicas_evenly_and_are_refused_by_name(
    stack: LocalStack, witness: Witness
) -> None:
    def live() -> list[int]:
        return sorted(replica.live for replica in witness.replicas("motion"))

    async def scenario() -> httpx.Response:
        options = {"avatar": AVATAR, "output": "motion"}
        async with AsyncExitStack() as opened:
            for _ in range(2 * CAPACITY):
                await opened.enter_async_context(Listener.opened(stack.url, **options))
            await asyncio.to_thread(until, lambda: live() == [CAPACITY, CAPACITY])
            async with httpx.AsyncClient(trust_env=False, timeout=30) as web:
                return await web.post(f"{stack.url}/v1/sessions", json=options)

    refused = asyncio.run(scenario())
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["code"] == "stage_full"
    assert f"motion stage is full: all its {2 * CAPACITY}" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("how", "why", "stages", "kind"),
    [
        (signal.SIGKILL, "lost", ("render",), MediaKind.VIDEO),
        (signal.SIGKILL, "lost", ("audio", "motion"), MediaKind.MOTION),
        (signal.SIGTERM, "draining", ("audio", "motion", "render"), MediaKind.VIDEO),
    ],
)
def test_a_session_goes_on_at_another_replica(
    stack: LocalStack,
    witness: Witness,
    how: signal.Signals,
    why: str,
    stages: tuple[str, ...],
    kind: MediaKind,
) -> None:
    async def scenario() -> Listener:
        options = {"avatar": AVATAR, "output": kind.name.lower(), "size": 64}
        async with Listener.opened(stack.url, **options) as listener:
            session_id = listener.client.session["id"]
            await listener.client.say("Nothing is said twice, and the head does not jump.")
            await listener.until("agent.speak_started")
            first = {stage: witness.places(session_id, stage)[0] for stage in stages}
            for pid in [witness.pid(place["address"]) for place in first.values()]:
                os.kill(pid, how)
            for stage, place in first.items():
                moves = await asyncio.to_thread(witness.moved, session_id, stage)
                assert moves["left"] == {**place, "event": "left", "why": why} | {
                    "at_ms": moves["left"]["at_ms"]
                }
                assert moves["placed"]["replica"] != place["replica"]
            await listener.until("agent.speak_finished")
            await listener.until_media(len(listener.media) + 10)
            return listener

    listener = asyncio.run(scenario())
    assert not listener.of("error")
    assert not listener.of("agent.speak_finished")[0]["interrupted"]
    media = listener.of_media(kind)
    times = np.array([item.pts_us for item in media])
    steps = np.diff(times)
    assert (steps % _FRAME_US == 0).all()
    if kind is MediaKind.MOTION:
        frames = np.array([np.frombuffer(item.payload, "<f4") for item in media])
        assert np.abs(np.diff(frames[:, 52:55], axis=0)).max() < 0.03
