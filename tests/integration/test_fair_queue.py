"""Whose job is next, on a real Redis: in a hurry first, yet nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from lipstream.pipeline import PIPELINES, JobKind, stage_named
from lipstream.runtime.claim import Claim, Depth
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.stage_queue import StageQueue
from lipstream.wire.job import Job, JobStatus, Priority
from lipstream.wire.problem import Problem
from tests.integration.job_lane import JobLane
from tests.integration.redis_process import RedisProcess

_PROBLEM = Problem("internal", "Internal error", "It broke.")


class _Lane:
    def __init__(self, url: str) -> None:
        self.link = RedisLink(url)
        self.jobs = JobStore(self.link, max_queued=1000)
        self.queue = StageQueue(self.link, stage_named("avatar"), "worker")

    async def queued(
        self, name: str, priority: Priority = Priority.BATCH, tenant: str = "default"
    ) -> None:
        await self.jobs.create(Job.new(JobKind.AVATAR, {}, name, tenant=tenant, priority=priority))

    async def next(self) -> Claim | None:
        while (delivery := await self.queue.read(block_ms=1)) is not None:
            if claim := await self.queue.begin(delivery):
                return claim
        return None

    async def served(self, most: int = 1000) -> list[str]:
        """Take and finish so many; their ids in order."""
        ids: list[str] = []
        while len(ids) < most and (claim := await self.next()) is not None:
            ids.append(claim.job.id)
            await self.queue.advance(claim, {}, ())
        return ids


def run(server: RedisProcess, scenario: Callable[[_Lane], Awaitable[None]]) -> None:
    async def go() -> None:
        lane = _Lane(server.url)
        await lane.queue.ensure_group()
        try:
            await scenario(lane)
        finally:
            await lane.link.close()

    asyncio.run(go())


def test_who_waits_goes_before_a_batch(redis_server: RedisProcess) -> None:
    async def scenario(lane: _Lane) -> None:
        for n in range(20):
            await lane.queued(f"batch-{n:02d}")
        await lane.queued("urgent", Priority.INTERACTIVE)
        order = await lane.served()
        # Two lay ready in the stream already.
        assert order.index("urgent") == 2
        order.remove("urgent")
        assert order == [f"batch-{n:02d}" for n in range(20)]
        assert await lane.queue.depth() == Depth(waiting=0, delayed=0, pending=0)

    run(redis_server, scenario)


def test_many_jobs_of_one_tenant_delay_another_by_few(redis_server: RedisProcess) -> None:
    async def scenario(lane: _Lane) -> None:
        for n in range(200):
            await lane.queued(f"many-{n:03d}", tenant="busy")
        for n in range(3):
            await lane.queued(f"one-{n}", tenant="quiet")
        order = await lane.served(12)
        assert [order.index(f"one-{n}") for n in range(3)] <= [3, 5, 7], order
        assert len(await lane.served()) == 203 - 12

    run(redis_server, scenario)


def test_a_tenant_at_its_cap_waits_and_others_go_on(redis_server: RedisProcess) -> None:
    async def scenario(lane: _Lane) -> None:
        await lane.jobs.set_cap("busy", 2)
        for n in range(6):
            await lane.queued(f"busy-{n}", tenant="busy")
        held = [await lane.next(), await lane.next()]
        assert [claim.job.id for claim in held if claim] == ["busy-0", "busy-1"]
        assert await lane.next() is None
        for n in range(6):
            await lane.queued(f"quiet-{n}", tenant="quiet")
        assert await lane.served() == [f"quiet-{n}" for n in range(6)]
        assert await lane.jobs.held_back(await lane.jobs.get("busy-2"))
        assert await lane.queue.held_back() == 4
        # Each way in which work ends lets the next in, though nothing is queued meanwhile.
        await lane.queue.advance(held[0], {}, ())  # type: ignore[arg-type]
        third = await lane.next()
        assert third is not None
        assert third.job.id == "busy-2"
        await lane.queue.fail(third, _PROBLEM)
        fourth = await lane.next()
        assert fourth is not None
        assert fourth.job.id == "busy-3"
        await lane.queue.retry(fourth, _PROBLEM, 0.0)
        await lane.queue.promote()
        assert await lane.next() is not None
        assert await lane.next() is None
        await lane.jobs.set_cap("busy", None)  # and the rest comes
        await lane.queue.promote()
        assert await lane.served() == ["busy-5", "busy-3"]
        assert await lane.queue.held_back() == 0

    run(redis_server, scenario)


def test_a_cap_counts_jobs_wherever_they_are(redis_server: RedisProcess) -> None:
    async def scenario(lane: _Lane) -> None:
        await lane.jobs.set_cap("busy", 1)
        for name in ("first", "second"):
            await lane.jobs.create(Job.new(JobKind.VIDEO, {}, name, tenant="busy"))
        await lane.queued("avatar", tenant="busy")
        await lane.queued("other")
        assert await lane.served() == ["other"]
        for stage in PIPELINES[JobKind.VIDEO].stages:
            queue = StageQueue(lane.link, stage, "worker")
            await queue.ensure_group()
            delivery = await queue.read(block_ms=1)
            assert delivery is not None
            claim = await queue.begin(delivery)
            assert claim is not None
            assert claim.job.id == "first"
            assert await lane.jobs.held_back(await lane.jobs.get("second"))
            assert await lane.next() is None
            await queue.advance(claim, {}, ())
        # The end at one stage lets the next begin at another, though nobody asks there.
        assert await lane.served() == ["avatar"]
        assert not await lane.jobs.held_back(await lane.jobs.get("second"))

    run(redis_server, scenario)


def test_a_flow_that_was_at_its_cap_takes_no_more_than_its_share_afterwards(
    redis_server: RedisProcess,
) -> None:
    async def scenario(lane: _Lane) -> None:
        capped = JobStore(lane.link, cap=1)
        for n in range(12):
            await capped.create(
                Job.new(JobKind.AVATAR, {}, f"a-{n}", tenant="a", priority=Priority.BATCH)
            )
        assert await lane.jobs.caps() == {"*": 1}
        held = await lane.next()
        assert held is not None
        await lane.jobs.set_cap("b", 0)
        for n in range(12):
            await capped.create(
                Job.new(JobKind.AVATAR, {}, f"b-{n}", tenant="b", priority=Priority.BATCH)
            )
        assert await lane.served(6) == [f"b-{n}" for n in range(6)]
        await lane.jobs.set_cap("a", 0)
        order = await lane.served(8)
        assert 2 <= sum(name.startswith("b") for name in order) <= 6, order

    run(redis_server, scenario)


def test_a_batch_goes_on_under_a_flood(redis_server: RedisProcess) -> None:
    async def scenario(lane: _Lane) -> None:
        for n in range(40):
            await lane.queued(f"batch-{n:02d}")
        order: list[str] = []
        for n in range(90):
            await lane.queued(f"urgent-{n:02d}", Priority.INTERACTIVE)
            if n >= 20:
                order += await lane.served(1)
        assert await lane.queue.depth() == Depth(waiting=60, delayed=0, pending=0)
        through = sum(name.startswith("batch") for name in order)
        assert 2 + 70 // 9 - 1 <= through <= 2 + 70 // 9 + 1

    run(redis_server, scenario)


def test_what_is_tried_again_and_what_is_cancelled_keeps_its_place_in_the_count(
    redis_server: RedisProcess,
) -> None:
    async def scenario(lane: _Lane) -> None:
        for n in range(6):
            await lane.queued(f"batch-{n}")
        claim = await lane.next()
        assert claim is not None
        await lane.queue.retry(claim, _PROBLEM, 0.0)
        assert await lane.queue.promote() == 1
        assert await lane.queue.oldest_s() < 60
        await lane.jobs.cancel("batch-4")
        flow = "{lipstream}:jobs:avatar:flow:batch:default"
        assert redis_server.client().lrange(flow, 0, -1)[-2:] == ["batch-5", "batch-0"]
        assert await lane.queue.depth() == Depth(waiting=5, delayed=0, pending=0)
        assert await lane.served() == ["batch-1", "batch-2", "batch-3", "batch-5", "batch-0"]
        assert not redis_server.client().keys("{lipstream}:jobs:avatar:*")

    run(redis_server, scenario)


def test_a_worker_that_dies_with_a_message_in_hand_holds_up_no_other(
    redis_server: RedisProcess,
) -> None:
    async def scenario(lane: _Lane) -> None:
        for n in range(5):
            await lane.queued(f"job-{n}")
        dying = StageQueue(lane.link, stage_named("avatar"), "dying")
        assert await dying.read(block_ms=1)
        assert await dying.read(block_ms=1)
        await lane.queue.promote()
        assert await lane.served() == ["job-2", "job-3", "job-4"]
        for expected in ("job-0", "job-1"):
            delivery = await lane.queue.take_over(idle_ms=0)
            assert delivery is not None
            claim = await lane.queue.begin(delivery)
            assert claim is not None
            assert claim.job.id == expected
            await lane.queue.advance(claim, {}, ())

    run(redis_server, scenario)


def test_what_is_left_in_a_stream_by_a_dying_worker_does_not_count(
    redis_server: RedisProcess,
) -> None:
    client, stream = redis_server.client(), stage_named("avatar").stream

    async def scenario(lane: _Lane) -> None:
        for _ in range(5):
            message_id = client.xadd(stream, {"nonsense": "1"})
            assert await lane.queue.read(block_ms=1)
            client.xack(stream, "workers", message_id)  # and it died before it deleted it
        for n in range(4):
            await lane.queued(f"job-{n}")
        assert await lane.served() == [f"job-{n}" for n in range(4)]

    run(redis_server, scenario)


def test_a_job_whose_deadline_passes_fails_wherever_it_is(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            late = [
                Job.new(JobKind.AVATAR, {"avatar": ["work:60"]}, within_s=0.3) for _ in range(2)
            ]
            for job in late:
                await lane.jobs.create(job)
            lane.work("avatar")
            for job in late:
                ended = await lane.ended(job)
                assert ended.status is JobStatus.FAILED
                assert ended.error is not None
                assert ended.error.code == "deadline_exceeded"
                assert ended.error.remedy
            in_time = Job.new(JobKind.AVATAR, {}, within_s=600)
            await lane.jobs.create(in_time)
            assert (await lane.ended(in_time)).status is JobStatus.SUCCEEDED

    asyncio.run(scenario())
