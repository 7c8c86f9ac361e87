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
from lipstream.wire.replica import LEASE_S
from tests.integration.placement.conftest import CAPACITY, LIVE_STAGES
from tests.integration.placement.witness import Witness, until
from tests.integration.sessions.listener import Listener
from tests.portrait import AVATAR

_FRAME_US = 40_000
_FEWEST_FRAMES = 40
"""Of a sentence of two seconds and more."""


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
        (signal.SIGSTOP, "silent", ("render",), MediaKind.VIDEO),
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
            pids = [witness.pid(place["address"]) for place in first.values()]
            for pid in pids:
                os.kill(pid, how)
            for stage, place in first.items():
                moves = await asyncio.to_thread(witness.moved, session_id, stage)
                assert moves["left"] == {**place, "event": "left", "why": why} | {
                    "at_ms": moves["left"]["at_ms"]
                }
                assert moves["placed"]["replica"] != place["replica"]
            if how is signal.SIGSTOP:
                os.kill(pids[0], signal.SIGCONT)
            await listener.until("agent.speak_finished")
            await asyncio.sleep(0.5)
            return listener

    listener = asyncio.run(scenario())
    session_id = listener.client.session["id"]
    until(lambda: "ended" in witness.kinds(session_id))
    late = int(witness.events(session_id)[-1]["late_frames"])
    assert not listener.of("error")
    assert not listener.of("agent.speak_finished")[0]["interrupted"]
    sound = listener.of_media(MediaKind.AUDIO)
    assert len({piece.epoch for piece in sound}) == 1  # none of it is stale
    ends = [piece.pts_us + len(piece.payload) * 1_000_000 // 48_000 for piece in sound]
    starts = [piece.pts_us for piece in sound]
    pauses_us = np.subtract(starts[1:], ends[:-1])
    assert pauses_us.min() >= -1  # nothing is said twice
    # Without a gap, but where the machine was too busy for the session.
    assert pauses_us.max() <= 1 or listener.of("session.behind")
    media = listener.of_media(kind)
    # To the end: a busy machine leaves some out, but the stages made them.
    assert len(media) + late > _FEWEST_FRAMES
    steps = np.diff([item.pts_us for item in media])
    assert (steps % _FRAME_US == 0).all()
    if kind is MediaKind.MOTION:
        frames = np.frombuffer(b"".join(item.payload for item in media), "<f4").reshape(-1, 62)
        turned = np.abs(np.diff(frames[:, 52:55], axis=0)).max(1)
        assert (turned[steps == _FRAME_US] < 0.03).all()


def test_sessions_go_on_and_open_while_redis_is_away(stack: LocalStack, witness: Witness) -> None:
    """For longer than leases last; and when it is back, nobody is believed to be gone."""

    async def scenario() -> list[str]:
        options = {"avatar": AVATAR, "output": "motion"}
        async with Listener.opened(stack.url, **options) as first:
            os.kill(stack.pids["redis"], signal.SIGSTOP)
            try:
                async with Listener.opened(stack.url, **options) as second:
                    for listener in (first, second):
                        await listener.client.say("Hello.")
                        await listener.until("agent.speak_finished")
                    await asyncio.sleep(LEASE_S)
            finally:
                os.kill(stack.pids["redis"], signal.SIGCONT)
            await first.client.say("Hello again.")
            await first.until("agent.speak_finished", 2)
            assert not first.of("error")
            return [first.client.session["id"], second.client.session["id"]]

    for session_id in asyncio.run(scenario()):
        until(lambda name=session_id: "ended" in witness.kinds(name))  # type: ignore[misc]
        kinds = witness.kinds(session_id)
        assert {"opened", "connected", "spoke"} <= set(kinds)  # written when Redis was back
        assert "left" not in kinds
