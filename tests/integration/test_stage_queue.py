"""Who holds a job's message, step by step: a worker that was thought dead changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from lipstream.errors import BadInput, Conflict, NotFound, Overloaded, Unavailable
from lipstream.pipeline import PIPELINES, JobKind, stage_named
from lipstream.runtime.claim import Claim, Delivery, Depth
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.stage_members import StageMembers
from lipstream.runtime.stage_queue import StageQueue
from lipstream.wire.job import Job, JobStatus
from lipstream.wire.problem import Problem
from tests.integration.redis_process import RedisProcess, free_port

_PROBLEM = Problem("internal", "Internal error", "It broke.")


class _Lane:
    def __init__(self, url: str) -> None:
        self.link = RedisLink(url)
        self.jobs = JobStore(self.link, max_queued=5)
        self.first = StageQueue(self.link, stage_named("audio"), "first")
        self.second = StageQueue(self.link, stage_named("audio"), "second")
        self.motion = StageQueue(self.link, stage_named("motion"), "third")

    async def queued(self) -> Job:
        job = Job.new(JobKind.VIDEO, {"text": "hi"})
        await self.jobs.create(job)
        return job


def run(server: RedisProcess, scenario: Callable[[_Lane], Awaitable[None]]) -> None:
    async def go() -> None:
        lane = _Lane(server.url)
        await lane.first.ensure_group()
        await lane.motion.ensure_group()
        await lane.first.ensure_group()
        try:
            await scenario(lane)
        finally:
            await lane.link.close()

    asyncio.run(go())


async def taken(queue: StageQueue) -> tuple[Delivery, Claim]:
    delivery = await queue.read(block_ms=1000)
    assert delivery is not None
    claim = await queue.begin(delivery)
    assert claim is not None
    return delivery, claim


def test_work_that_was_taken_over_is_settled_by_its_new_holder_alone(
    redis_server: RedisProcess,
) -> None:
    async def scenario(lane: _Lane) -> None:
        job = await lane.queued()
        _, old = await taken(lane.first)
        assert await lane.second.take_over(idle_ms=60_000) is None
        delivery = await lane.second.take_over(idle_ms=0)
        assert delivery is not None
        new = await lane.second.begin(delivery)
        assert new is not None
        assert (old.attempt, new.attempt) == (1, 2)

        assert await lane.first.beat(old, 0.5) == "lost"
        assert await lane.first.retry(old, _PROBLEM, 0.0) == "lost"
        assert await lane.first.fail(old, _PROBLEM) == "lost"
        assert await lane.first.release(old) == "lost"
        assert await lane.first.advance(old, {}, ()) == "lost"
        assert await lane.second.beat(new, 0.5) == "ok"
        assert await lane.second.advance(new, {}, ()) == "done"
        assert await lane.second.advance(new, {}, ()) == "over"
        assert await lane.first.advance(old, {}, ()) == "over"

        assert (await lane.jobs.get(job.id)).stage == "motion"
        assert await lane.motion.depth() == Depth(waiting=1, delayed=0, pending=0)
        assert await lane.motion.oldest_s() > 0
        assert await lane.first.oldest_s() == 0
        assert await lane.first.depth() == Depth(waiting=0, delayed=0, pending=0)

    run(redis_server, scenario)


def test_every_step_may_be_said_twice(redis_server: RedisProcess) -> None:
    async def scenario(lane: _Lane) -> None:
        job = await lane.queued()
        await lane.jobs.create(job)
        _, claim = await taken(lane.first)
        assert await lane.first.retry(claim, _PROBLEM, 0.0) == "done"
        assert await lane.first.retry(claim, _PROBLEM, 0.0) == "lost"
        assert await lane.first.depth() == Depth(waiting=0, delayed=1, pending=0)
        assert await lane.first.promote() == 1
        assert await lane.first.promote() == 0
        _, claim = await taken(lane.first)
        assert claim.attempt == 2
        assert claim.last_error == _PROBLEM
        assert await lane.first.release(claim) == "done"
        assert await lane.first.release(claim) == "lost"
        _, claim = await taken(lane.first)
        assert claim.attempt == 2
        assert await lane.first.fail(claim, _PROBLEM) == "done"
        assert await lane.first.fail(claim, _PROBLEM) == "over"
        assert len(await lane.jobs.dead_letters("audio")) == 1
        assert await lane.first.depth() == Depth(waiting=0, delayed=0, pending=0, dead=1)

    run(redis_server, scenario)


def test_a_message_delivered_again_after_its_job_moved_on_is_dropped(
    redis_server: RedisProcess,
) -> None:
    async def scenario(lane: _Lane) -> None:
        await lane.queued()
        delivery, claim = await taken(lane.first)
        await lane.first.advance(claim, {}, ())
        assert await lane.second.begin(delivery) is None
        assert await lane.motion.depth() == Depth(waiting=1, delayed=0, pending=0)

    run(redis_server, scenario)


def test_tries_are_bounded_even_if_no_worker_lives_to_say_so(redis_server: RedisProcess) -> None:
    async def scenario(lane: _Lane) -> None:
        await lane.queued()
        delivery, claim = await taken(lane.first)
        for _ in range(stage_named("audio").max_tries):
            assert not claim.exhausted
            again = await lane.second.begin(delivery)
            assert again is not None
            claim = again
        assert claim.exhausted

    run(redis_server, scenario)


def test_jobs_are_refused_by_name(redis_server: RedisProcess) -> None:
    async def scenario(lane: _Lane) -> None:
        job = await lane.queued()
        twin = Job.new(JobKind.VIDEO, {}, job_id=job.id)
        if twin.created_ms == job.created_ms:  # then it would pass for the same job
            await asyncio.sleep(0.002)
            twin = Job.new(JobKind.VIDEO, {}, job_id=job.id)
        with pytest.raises(Conflict, match=job.id):
            await lane.jobs.create(twin)
        for _ in range(4):
            await lane.queued()
        with pytest.raises(Overloaded, match="5 jobs are waiting"):
            await lane.queued()
        with pytest.raises(NotFound):
            await lane.jobs.get("unknown")
        with pytest.raises(NotFound):
            await lane.jobs.cancel("unknown")
        with pytest.raises(NotFound):
            await anext(lane.jobs.events("unknown"))
        with pytest.raises(BadInput, match="no valid id"):
            await lane.jobs.get("../etc")
        with pytest.raises(BadInput, match="no id of an event"):
            await anext(lane.jobs.events(job.id, after="$"))
        with pytest.raises(Conflict, match="has not ended"):
            await lane.jobs.delete(job.id)

    run(redis_server, scenario)


def test_jobs_are_listed_newest_first_and_forgotten_in_time(redis_server: RedisProcess) -> None:
    client = redis_server.client()

    async def scenario(lane: _Lane) -> None:
        jobs = []
        for _ in range(4):
            jobs.append(await lane.queued())
            await asyncio.sleep(0.002)
        ids = [job.id for job in reversed(jobs)]
        assert [job.id for job in await lane.jobs.list_jobs(JobKind.VIDEO)] == ids
        page = await lane.jobs.list_jobs(JobKind.VIDEO, limit=2)
        assert [job.id for job in page] == ids[:2]
        rest = await lane.jobs.list_jobs(JobKind.VIDEO, before_ms=page[-1].created_ms)
        assert [job.id for job in rest] == ids[2:]
        assert await lane.jobs.list_jobs(JobKind.AVATAR) == []

        await lane.jobs.cancel(jobs[0].id)
        key = f"{{lipstream}}:job:{jobs[0].id}"
        assert 0 < client.ttl(key) <= 604_800
        assert client.ttl(f"{{lipstream}}:events:{jobs[0].id}") > 0
        client.delete(key)  # as if its time had passed
        client.delete(f"{{lipstream}}:job:{jobs[2].id}")
        listed = await lane.jobs.list_jobs(JobKind.VIDEO)
        assert [job.id for job in listed] == [jobs[3].id, jobs[1].id]
        assert client.zcard("{lipstream}:index:video") == 2

        await lane.jobs.cancel(jobs[1].id)
        await lane.jobs.delete(jobs[1].id)
        with pytest.raises(NotFound):
            await lane.jobs.get(jobs[1].id)

    run(redis_server, scenario)


def test_events_can_be_read_on_from_any_of_them(redis_server: RedisProcess) -> None:
    async def scenario(lane: _Lane) -> None:
        job = await lane.queued()
        _, claim = await taken(lane.first)
        await lane.first.beat(claim, 0.5)
        await lane.jobs.cancel(job.id)
        every = [event async for event in lane.jobs.events(job.id)]
        assert [event.status for event in every] == [
            JobStatus.QUEUED,
            JobStatus.RUNNING,
            JobStatus.RUNNING,
            JobStatus.CANCELLED,
        ]
        assert every[2].progress == pytest.approx(0.05)
        later = [event async for event in lane.jobs.events(job.id, after=every[1].id)]
        assert later == every[2:]
        assert [event async for event in lane.jobs.events(job.id, after=every[-1].id)] == []

    run(redis_server, scenario)


def test_names_of_workers_are_forgotten_unless_they_hold_work(redis_server: RedisProcess) -> None:
    stream = PIPELINES[JobKind.VIDEO].first.stream

    async def scenario(lane: _Lane) -> None:
        await lane.queued()
        _, claim = await taken(lane.first)
        await lane.second.read(block_ms=1)
        members = StageMembers(lane.link, stage_named("audio"), "first")
        await members.leave()
        await members.forget_idle(idle_ms=-1)
        names = [c["name"] for c in redis_server.client().xinfo_consumers(stream, "workers")]
        assert names == ["first"]
        await lane.first.advance(claim, {}, ())
        await members.leave()
        assert redis_server.client().xinfo_consumers(stream, "workers") == []

    run(redis_server, scenario)


def test_an_absent_redis_is_named_within_the_patience() -> None:
    async def scenario() -> None:
        jobs = JobStore(RedisLink(f"redis://127.0.0.1:{free_port()}", patience_s=0.2))
        with pytest.raises(Unavailable, match="Redis does not answer") as caught:
            await jobs.get("some-job")
        assert caught.value.code == "redis_unavailable"

    asyncio.run(scenario())


def test_wrong_urls_of_redis_are_refused() -> None:
    for url in ("http://x", "redis://h:notaport", ""):
        with pytest.raises(BadInput, match="LIPSTREAM_REDIS"):
            RedisLink(url)


def test_of_callers_that_want_one_id_in_one_moment_one_gets_it(redis_server: RedisProcess) -> None:
    async def scenario(lane: _Lane) -> None:
        wanted = [
            replace(Job.new(JobKind.AVATAR, {"photo": str(n)}, "avatar-g"), created_ms=7)
            for n in range(5)
        ]
        tries = await asyncio.gather(*map(lane.jobs.create, wanted), return_exceptions=True)
        assert sum(isinstance(outcome, Conflict) for outcome in tries) == 4
        won = await lane.jobs.get("avatar-g")
        assert tries[int(won.params["photo"])] is None
        await lane.jobs.cancel("avatar-g")
        tries = await asyncio.gather(
            *(lane.jobs.delete("avatar-g") for _ in range(5)), return_exceptions=True
        )
        assert sum(isinstance(outcome, NotFound) for outcome in tries) == 4

    run(redis_server, scenario)


@pytest.mark.parametrize("after", ["", "x", "1-", "-1", "\u00b2-0", "9" * 19, "1-2-3", "$", "1 "])
def test_ids_that_no_event_has(redis_server: RedisProcess, after: str) -> None:
    async def scenario(lane: _Lane) -> None:
        job = await lane.queued()
        with pytest.raises(BadInput) as caught:
            await anext(aiter(lane.jobs.events(job.id, after)))
        assert caught.value.code == "bad_event_id"

    run(redis_server, scenario)
