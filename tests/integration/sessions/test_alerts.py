"""Alerts on what a running stack told while it was well, and while it was in trouble.

All that is told is real: of the real services, scraped right before and after each trouble really
happened. What alerts take hours to see is made of it by `tests.ops.scrapes`: what happened in
seconds is held to have happened every minute again. The scrapes of the idle worker in
`test_jobs_that_nobody_takes` are of a real one that was given no place to work in; and its message
was told to be older than it is.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import grpc
import httpx
import numpy as np
import pytest
import redis

from lipstream.pipeline import stage_named
from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.object_store import open_store
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.stream_worker import StreamWorker
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.worker_options import WorkerOptions
from lipstream.v1 import motion_pb2, motion_pb2_grpc
from lipstream.wire.tensors import pack_tensor
from tests.integration.live.live_call import LiveCall
from tests.integration.live.messages import FEATURES, GENERATE
from tests.integration.sessions.listener import Listener
from tests.integration.sessions.visits import make_video, say
from tests.ops.promtool import promtool
from tests.ops.scrapes import History, Page, check_alerts, check_panels, page, scrape, values
from tests.portrait import AVATAR

_OF_SPEED = (
    "LipstreamFirstFrameBurnsFast",
    "LipstreamFirstFrameBurnsSlowly",
    "LipstreamLateFrames",
    "LipstreamLiveStepsSlow",
    "LipstreamPicturesDrift",
    "LipstreamSessionsBehind",
)
"""On a machine that is busy with something else, their time has come."""
_CONFIG = GENERATE(config=motion_pb2.GenerateConfig(seed=1))
_LONG = "We have five views of the moon, and all of them are far above the harbour."
_SHOWN_ELSEWHERE = (
    "GPU memory",
    "Models run",
    "Tries to be done again",
    "Triton: requests a batch",
    "Triton: wait for a batch, mean",
)
_MANY = 200
"""Pieces of speech that take longer than a live step may, one after the other."""
_TRIES = 4
_BLOCK_S = 0.7
"""After which a worker that was stopped gets no message any more."""


@dataclass(frozen=True, slots=True)
class _Calm:
    """Scrapes around what went well: a video is made, somebody speaks."""

    video: list[Page]
    speech: list[Page]
    in_time: bool
    """Whether the machine was free enough for this speech."""

    def history(self, times: int = 5) -> History:
        history = History()
        for _ in range(times):
            history.play(self.video)
            if self.in_time:
                history.play(self.speech)
        return history


@pytest.fixture(scope="module")
def calm(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> _Calm:
    promtool("--version")
    asyncio.run(_conversation(stack))  # what is cold is slow
    before = scrape(stack)
    make_video(stack.url)
    video = [before, scrape(stack)]
    for _ in range(_TRIES):
        found = _Calm(video, asyncio.run(_conversation(stack)), in_time=True)
        try:
            check_alerts(tmp_path_factory.mktemp("calm"), found.history(10), among=_OF_SPEED)
        except AssertionError:
            continue
        return found
    return replace(found, in_time=False)


async def _conversation(stack: LocalStack) -> list[Page]:
    """The second scrape is of an open session."""
    before = await asyncio.to_thread(scrape, stack)
    async with Listener.opened(stack.url, avatar=AVATAR, size=64) as listener:
        await say(listener, "Hello there.")
        return [before, await asyncio.to_thread(scrape, stack)]


@contextmanager
def _stopped(stack: LocalStack, component: str) -> Iterator[None]:
    """It hangs."""
    pid = stack.pids[component]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_nothing_is_alarming_about_a_stack_that_is_well(calm: _Calm, tmp_path: Path) -> None:
    check_alerts(tmp_path, calm.history(10))
    if not calm.in_time:
        pytest.skip("this machine is too busy for speech in time; the rest was looked at")


def test_dashboards_have_an_answer(calm: _Calm, tmp_path: Path) -> None:
    history = replace(calm, in_time=True).history(3)
    check_panels(tmp_path, history, without=_SHOWN_ELSEWHERE)


def test_a_renderer_that_hangs(stack: LocalStack, calm: _Calm, tmp_path: Path) -> None:
    async def scene() -> list[Page]:
        async with Listener.opened(stack.url, avatar=AVATAR, size=64) as listener:
            await listener.client.say(_LONG)
            await listener.until("agent.speak_started")
            before = await asyncio.to_thread(scrape, stack)
            with _stopped(stack, "render"):
                await asyncio.sleep(0.6)
            await asyncio.sleep(0.4)
            return [before, await asyncio.to_thread(scrape, stack)]

    history = calm.history()
    history.play(asyncio.run(scene()), times=15)
    fire = ("LipstreamLateFrames", "LipstreamPicturesDrift")
    check_alerts(tmp_path, history, *fire, among=fire)


def test_motion_that_hangs_as_speech_begins(stack: LocalStack, calm: _Calm, tmp_path: Path) -> None:
    async def scene() -> list[Page]:
        async with Listener.opened(stack.url, avatar=AVATAR, output="motion") as listener:
            before = await asyncio.to_thread(scrape, stack)
            with _stopped(stack, "motion"):
                await listener.client.say(_LONG)
                await asyncio.sleep(1.5)
            await listener.until_media(len(listener.media) + 20)  # of sound, and of what it moves
            return [before, await asyncio.to_thread(scrape, stack)]

    history = calm.history()
    history.play(asyncio.run(scene()), times=30)
    fire = (
        "LipstreamFirstFrameBurnsFast",
        "LipstreamFirstFrameBurnsSlowly",
        "LipstreamSessionsBehind",
    )
    check_alerts(tmp_path, history, *fire, among=fire)


def test_a_stage_that_is_given_too_much(stack: LocalStack, calm: _Calm, tmp_path: Path) -> None:
    before = scrape(stack)
    piece = GENERATE(features=pack_tensor(np.zeros((2, FEATURES), np.float32)))
    with ExitStack() as held:
        channel = held.enter_context(grpc.insecure_channel(stack.addresses["motion"]))
        generate = motion_pb2_grpc.MotionServiceStub(channel).Generate
        calls = [LiveCall(generate, _CONFIG) for _ in range(8)]
        for call in calls:
            held.callback(call.cancel)
            call.read()
        calls[0].send(*[piece] * _MANY, GENERATE.end())
        calls[0].read_until("end")
        wanted = {"avatar": AVATAR, "output": "motion"}
        refused = httpx.post(f"{stack.url}/v1/sessions", json=wanted, trust_env=False)
        assert refused.status_code == 429, refused.text
        full = [before, scrape(stack)]
    history = calm.history()
    history.play(full, times=15)
    check_alerts(
        tmp_path,
        history,
        *("LipstreamLiveCapacity", "LipstreamLiveStepsSlow", "LipstreamSessionsRefused"),
        among=("LipstreamServerErrors", "LipstreamStageDown"),
    )


def test_jobs_that_nobody_takes(stack: LocalStack, calm: _Calm, tmp_path: Path) -> None:
    with httpx.Client(base_url=stack.url, trust_env=False) as http, _stopped(stack, "motion"):
        time.sleep(_BLOCK_S)
        wanted = {"avatar": AVATAR, "text": "Hi.", "size": 64}
        video = http.post("/v1/videos", json=wanted).raise_for_status().json()["id"]
        try:
            _age(stack, by_s=1200)
            idle = asyncio.run(_idle_worker(stack))
            stuck = scrape(stack, patience_s=0.3)
        finally:
            assert http.delete(f"/v1/videos/{video}").status_code == 204
    assert "motion" not in stuck
    history = calm.history()
    history.play([{**stuck, **page("motion-2", idle)}] * 2, times=15)
    check_alerts(
        tmp_path,
        history,
        *("LipstreamQueueLag", "LipstreamQueueStuck", "LipstreamStageDown"),
        among=("LipstreamDeadLetters", "LipstreamRedisDown", "LipstreamServerErrors"),
    )


def _age(stack: LocalStack, by_s: int) -> None:
    """Have the message that is next at the motion stage be older."""
    stream = stage_named("motion").stream
    with redis.Redis.from_url(stack.redis_url, decode_responses=True) as client:
        while not (waiting := client.xrange(stream)):
            time.sleep(0.05)
        ((known, fields),) = waiting
        client.xdel(stream, known)
        client.xadd(stream, {**fields, "queued_ms": int(fields["queued_ms"]) - 1000 * by_s})


async def _idle_worker(stack: LocalStack) -> str:
    """What one tells that has no place to work in."""
    telemetry, stopping = Telemetry("motion"), asyncio.Event()
    link = RedisLink(stack.redis_url)
    worker = StreamWorker(
        stage_named("motion"),
        lambda context: None,
        link=link,
        store=open_store(stack.store_url),
        telemetry=telemetry,
        options=WorkerOptions(concurrency=0),
    )
    running = asyncio.create_task(worker.run(stopping))
    while "lipstream_queue_held_back{" not in (text := telemetry.exposition().decode()):
        assert not running.done()
        await asyncio.sleep(0.02)
    stopping.set()
    await running
    await link.close()
    return text


def test_redis_that_hangs(stack: LocalStack, calm: _Calm, tmp_path: Path) -> None:
    before = scrape(stack)
    ask = partial(httpx.get, f"{stack.url}/v1/videos", trust_env=False, timeout=30)
    codes: list[int] = []
    with _stopped(stack, "redis"):
        asking = threading.Thread(target=lambda: codes.append(ask().status_code))
        asking.start()
        time.sleep(0.5)
        hung = scrape(stack)  # the gateway tells when it has waited for Redis as long as it does
        asking.join()
    assert codes == [503]
    history = calm.history()
    history.play([before, hung], times=10)
    fire = ("LipstreamRedisDown", "LipstreamServerErrors", "LipstreamStageDown")
    check_alerts(tmp_path, history, *fire, among=("LipstreamDeadLetters", "LipstreamModelDown"))
    assert set(values(hung, "lipstream_redis_up").values()) == {0}
    _until_sessions_open(stack)


def _until_sessions_open(stack: LocalStack) -> None:
    """Stages say again that they are there."""
    with httpx.Client(base_url=stack.url, trust_env=False, timeout=30) as http:
        wanted = {"avatar": AVATAR, "output": "motion"}
        while (opened := http.post("/v1/sessions", json=wanted)).status_code != 201:
            time.sleep(0.1)
        assert http.delete(f"/v1/sessions/{opened.json()['id']}").status_code == 204
