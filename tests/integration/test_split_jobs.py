"""A job that a stage splits: parts on any workers, each tried again alone, joined once."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from lipstream.audio.wav import write_wav
from lipstream.face.motion import Motion
from lipstream.face.motion_file import write_npz
from lipstream.pipeline import JobKind, stage_named
from lipstream.render import FilmOptions, render_video
from lipstream.render.job import RenderJob
from lipstream.runtime.claim import Claim
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.stage_queue import StageQueue
from lipstream.wire.job import JOIN, Job, JobStatus
from lipstream.wire.problem import Problem
from tests.integration.job_lane import JobLane
from tests.integration.redis_process import RedisProcess
from tests.unit.render.synthetic import synthetic_avatar

PARTS = ["0-4", "4-8", "8-9"]


def splitting(context: JobContext) -> None:
    """Splits; the second part fails on its first try."""
    if not context.part:
        context.split(PARTS)
    elif context.part == JOIN:
        pieces = [context.store.get(f"parts/{part}") for part in context.job.parts]
        context.store.put("whole", b" ".join(pieces))
        context.result("workers", context.workers)
    else:
        if context.part == PARTS[1] and context.attempt == 1:
            raise ValueError("once")
        context.progress(0.5)
        context.store.put(f"parts/{context.part}", context.part.encode())


def test_parts_are_done_by_all_and_joined_once(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            for _ in range(3):
                lane.work("avatar", splitting)
            job = await lane.create()
            events = await lane.events(job)
            ended = await lane.jobs.get(job.id)
            assert ended.status is JobStatus.SUCCEEDED, ended.error
            assert lane.store.get(f"jobs/{job.id}/whole") == b"0-4 4-8 8-9"
            assert ended.attempts == {
                "avatar": 1,
                "avatar/0-4": 1,
                "avatar/4-8": 2,
                "avatar/8-9": 1,
                "avatar/join": 1,
            }
            assert ended.results == {"workers": 3}
            assert ended.parts == tuple(PARTS)
            progress = [event.progress for event in events]
            assert progress == sorted(progress)
            while list(lane.store.list(f"jobs/{job.id}/parts")):
                await asyncio.sleep(0.01)

    asyncio.run(scenario())
    assert redis_server.client().xlen("{lipstream}:jobs:avatar") == 0


def test_a_split_job_is_one_under_a_cap(redis_server: RedisProcess) -> None:
    together = threading.Barrier(len(PARTS))

    def handle(context: JobContext) -> None:
        if context.part in PARTS:
            together.wait(20)
        if not context.part:
            context.split(PARTS)

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            await lane.jobs.set_cap("default", 1)
            made = [await lane.create() for _ in range(3)]
            for _ in PARTS:
                lane.work("avatar", handle)
            for job in made:
                assert (await lane.ended(job)).status is JobStatus.SUCCEEDED
            assert await lane.jobs.caps() == {"default": 1}

    asyncio.run(scenario())


def test_cancelling_stops_all_parts(redis_server: RedisProcess) -> None:
    begun = threading.Semaphore(0)

    def handle(context: JobContext) -> None:
        if not context.part:
            context.split(PARTS)
            return
        begun.release()
        for _ in range(3000):
            threading.Event().wait(0.01)
            context.check()

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            for _ in range(2):
                lane.work("avatar", handle)
            job = await lane.create()
            for _ in range(2):
                await asyncio.to_thread(begun.acquire)
            await lane.jobs.cancel(job.id)
            assert (await lane.ended(job)).status is JobStatus.CANCELLED
            stream = redis_server.client()
            async with asyncio.timeout(20):
                while stream.xlen("{lipstream}:jobs:avatar"):
                    await asyncio.sleep(0.02)
            assert not begun.acquire(blocking=False)

    asyncio.run(scenario())


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_parts_of_a_job_that_has_ended_wait_no_longer(end: str, redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        link = RedisLink(redis_server.url)
        jobs, queue, job = await _ordered(link)
        await queue.split(await _taken(queue), [f"part-{n}" for n in range(6)])
        claim = await _taken(queue)
        assert (await queue.depth()).waiting == 5
        if end == "failed":
            await queue.fail(claim, Problem("x", "X", "It broke."))
        else:
            await jobs.cancel(job.id)
        # Two lie ready in the stream, where workers pass them over.
        assert (await queue.depth()).waiting == 2
        for _ in range(2):
            delivery = await queue.read(block_ms=1000)
            assert delivery is not None
            assert await queue.begin(delivery) is None
        assert (await queue.depth()).waiting == 0
        await link.close()

    asyncio.run(scenario())
    assert not redis_server.client().keys("{lipstream}:jobs:avatar:flow:*")


async def _ordered(link: RedisLink) -> tuple[JobStore, StageQueue, Job]:
    """A job that waits at its stage, whose only worker is this test."""
    jobs, queue = JobStore(link), StageQueue(link, stage_named("avatar"), "worker")
    await queue.ensure_group()
    job = Job.new(JobKind.AVATAR, {})
    await jobs.create(job)
    return jobs, queue, job


async def _taken(queue: StageQueue) -> Claim:
    delivery = await queue.read(block_ms=1000)
    assert delivery is not None
    claim = await queue.begin(delivery)
    assert claim is not None
    return claim


def test_each_step_counts_once(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        link = RedisLink(redis_server.url)
        jobs, queue, job = await _ordered(link)
        plan = await _taken(queue)
        assert await queue.split(plan, ["a", "b"]) == "done"
        assert await queue.split(plan, ["a", "b"]) == "over"
        assert await queue.advance(plan, {}, ()) == "over"
        first, second = await _taken(queue), await _taken(queue)
        assert await queue.part_done(first) == "done"
        assert await queue.part_done(first) == "over"
        assert await queue.beat(second, 0.5) == "ok"
        assert (await jobs.get(job.id)).parts_left == 1
        assert await queue.retry(second, Problem("x", "X", "It broke."), 0.0) == "done"
        assert await queue.promote() == 1
        again = await _taken(queue)
        assert (again.message.part, again.attempt) == ("b", 2)
        assert again.last_error is not None
        assert await queue.part_done(again) == "done"
        join = await _taken(queue)
        assert join.message.part == JOIN
        assert await queue.advance(join, {}, ()) == "done"
        assert (await jobs.get(job.id)).status is JobStatus.SUCCEEDED
        assert (await queue.depth()).waiting == 0
        await link.close()

    asyncio.run(scenario())


def test_a_long_video_is_rendered_by_two_workers_as_by_one(
    redis_server: RedisProcess, tmp_path: Path
) -> None:
    shelf: Any = SimpleNamespace(model=lambda name: synthetic_avatar())
    # Kernels are compiled here, where nobody waits.
    options = FilmOptions(size_px=64)
    render_video(synthetic_avatar(), [Motion.rest(1)], None, tmp_path / "warm.mp4", options=options)
    rng = np.random.default_rng(3)
    sound = rng.normal(0, 0.05, round(17.5 * 48_000)).astype(np.float32)
    motion = Motion.rest(430)
    motion.blendshapes[:, 17] = rng.uniform(0, 1, 430)
    write_wav(tmp_path / "speech.wav", [sound], 48_000)
    write_npz(tmp_path / "motion.npz", motion)
    drawn: dict[str, list[str]] = {"one": [], "two": []}

    def hand_on(context: JobContext) -> None:
        for name in context.stage.outputs:
            path = tmp_path / name
            context.store.put(name, path.read_bytes() if path.exists() else b"x")

    async def scenario() -> None:
        videos = []
        for names in (["one"], ["one", "two"]):
            async with JobLane.on(redis_server.url) as lane:
                lane.work("audio", hand_on)
                lane.work("motion", hand_on)
                for name in names:

                    def render(context: JobContext, name: str = name) -> None:
                        drawn[name].append(context.part)
                        RenderJob(shelf, lane.telemetry, threads=1)(context)

                    lane.work("render", render)
                job = await lane.create(JobKind.VIDEO, avatar="synthetic", size=64, fps=5)
                ended = await lane.ended(job)
                assert ended.status is JobStatus.SUCCEEDED, ended.error
                assert ended.results["frames"] == 88
                assert ended.results["duration_s"] == 17.6
                videos.append(lane.store.get(ended.outputs["video"]))
        assert videos[0] == videos[1]
        path = tmp_path / "video.mp4"
        path.write_bytes(videos[1])
        with av.open(str(path)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 88

    asyncio.run(scenario())
    assert drawn["one"][0] == ""
    shared = drawn["one"][1:] + drawn["two"]
    assert sorted(shared) == ["", "0-40", "40-80", "80-88", JOIN]
    assert {part for part in drawn["two"]} & {"0-40", "40-80", "80-88"}
