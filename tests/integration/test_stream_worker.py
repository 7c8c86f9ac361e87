"""Jobs on a real Redis: each ends once, with its result or its reason, whatever happens."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from dataclasses import replace

import pytest

from lipstream.errors import Cancelled
from lipstream.pipeline import JobKind
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.stream_worker import HandlerStuck
from lipstream.wire.job import JobStatus
from tests.integration.job_lane import QUICK, JobLane, avatar_stage
from tests.integration.redis_process import RedisProcess


def test_a_video_passes_all_stages_in_order(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            for stage in ("render", "motion", "audio"):
                lane.work(stage)
            job = await lane.create(JobKind.VIDEO, audio=["work:0.3"], text="hello")
            events = await lane.events(job)
            job = await lane.jobs.get(job.id)

            assert job.status is JobStatus.SUCCEEDED
            assert job.progress == 1.0
            assert set(job.outputs) == {
                "speech.wav",
                "features.npy",
                "encoder.txt",
                "motion.npz",
                "video",
            }
            assert lane.store.get(job.outputs["video"]) == f"{job.id} render".encode()
            assert job.results == {"audio_attempt": 1, "motion_attempt": 1, "render_attempt": 1}
            assert lane.tries(job) == ["audio-1", "motion-1", "render-1"]
            stages = [event.stage for event in events]
            assert list(dict.fromkeys(stages)) == ["audio", "motion", "render"]
            progress = [event.progress for event in events]
            assert progress == sorted(progress)
            assert any(0.0 < value < 0.1 for value in progress)
            assert [e.status.finished for e in events].count(True) == 1

    asyncio.run(scenario())
    client = redis_server.client()
    for stage in ("audio", "motion", "render"):
        assert client.xlen(f"{{lipstream}}:jobs:{stage}") == 0
        assert client.xinfo_consumers(f"{{lipstream}}:jobs:{stage}", "workers") == []


def test_a_failed_try_is_repeated_and_others_go_ahead(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            lane.work("avatar", options=replace(QUICK, retry_base_s=1.0))
            unlucky = await lane.create(avatar=["raise:once", "ok"])
            other = await lane.create()
            assert (await lane.ended(other)).status is JobStatus.SUCCEEDED
            assert (await lane.jobs.get(unlucky.id)).status is JobStatus.RUNNING
            job = await lane.ended(unlucky)
            assert job.status is JobStatus.SUCCEEDED
            assert job.attempts == {"avatar": 2}
            assert b'lipstream_retries_total{code="internal"' in lane.telemetry.exposition()

    asyncio.run(scenario())


def test_poison_fails_with_its_reason_and_the_next_job_is_served(
    redis_server: RedisProcess,
) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            lane.work("avatar")
            poison = await lane.create(avatar=["raise:boom"])
            following = await lane.create()
            assert (await lane.ended(following)).status is JobStatus.SUCCEEDED
            job = await lane.ended(poison)
            assert job.status is JobStatus.FAILED
            assert job.error is not None
            assert job.error.detail.startswith("The avatar stage failed on this job")
            assert "boom" not in job.error.detail
            assert lane.tries(job) == ["avatar-1", "avatar-2", "avatar-3"]
            letters = await lane.jobs.dead_letters("avatar")
            assert [letter.job_id for letter in letters] == [job.id]
            assert "failed on this job" in letters[0].problem.detail

    asyncio.run(scenario())


def test_refused_input_is_not_tried_again(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            lane.work("avatar")
            job = await lane.ended(await lane.create(avatar=["refuse:There is no face."]))
            assert job.status is JobStatus.FAILED
            assert job.error is not None
            assert (job.error.code, job.error.detail) == ("poison", "There is no face.")
            assert job.error.remedy == "Send another."
            assert job.attempts == {"avatar": 1}

    asyncio.run(scenario())


def test_malformed_messages_are_buried(redis_server: RedisProcess) -> None:
    client = redis_server.client()
    client.xadd("{lipstream}:jobs:avatar", {"nonsense": "1"})
    client.xadd("{lipstream}:jobs:avatar", {"v": "99"})

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            lane.work("avatar")
            job = await lane.ended(await lane.create())
            assert job.status is JobStatus.SUCCEEDED
            letters = await lane.jobs.dead_letters("avatar")
            assert len(letters) == 2
            assert "lacks the field" in letters[1].problem.detail

    asyncio.run(scenario())
    assert client.xlen("{lipstream}:jobs:avatar") == 0


def test_cancelling_stops_running_work(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            lane.work("avatar")
            job = await lane.create(avatar=["work:60"])
            await lane.begun(job)
            assert await lane.jobs.cancel(job.id) is JobStatus.CANCELLED
            following = await lane.ended(await lane.create())
            assert following.status is JobStatus.SUCCEEDED
            assert (await lane.jobs.get(job.id)).status is JobStatus.CANCELLED
            assert await lane.jobs.cancel(following.id) is JobStatus.SUCCEEDED
            assert await lane.jobs.dead_letters("avatar") == []

    asyncio.run(scenario())
    assert redis_server.client().xlen("{lipstream}:jobs:avatar") == 0


def test_a_job_cancelled_in_the_queue_never_runs(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            job = await lane.create()
            await lane.jobs.cancel(job.id)
            lane.work("avatar")
            await lane.ended(await lane.create())
            assert lane.tries(job) == []

    asyncio.run(scenario())


def test_work_over_its_deadline_is_given_up(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            lane.work(avatar_stage(deadline_s=0.2, max_tries=2))
            job = await lane.ended(await lane.create(avatar=["work:60"]))
            assert job.error is not None
            assert job.error.code == "deadline_exceeded"
            assert lane.tries(job) == ["avatar-1", "avatar-2"]

    asyncio.run(scenario())


def test_a_handler_that_does_not_stop_ends_the_worker_but_not_the_job(
    redis_server: RedisProcess,
) -> None:
    release = threading.Event()

    def stubborn(context: JobContext) -> None:
        if context.attempt == 1:
            release.wait(60)

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            first = lane.work(avatar_stage(deadline_s=0.2), stubborn)
            job = await lane.create()
            with pytest.raises(HandlerStuck):
                await first.task
            lane.work(avatar_stage(), stubborn)
            assert (await lane.ended(job)).status is JobStatus.SUCCEEDED

    try:
        asyncio.run(scenario())
    finally:
        release.set()


def test_signs_of_life_keep_long_work_from_being_taken_over(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            options = replace(QUICK, claim_idle_s=0.7)
            for _ in range(3):
                lane.work("avatar", options=options)
            job = await lane.ended(await lane.create(avatar=["work:2.5"]))
            assert job.status is JobStatus.SUCCEEDED
            assert lane.tries(job) == ["avatar-1"]

    asyncio.run(scenario())


def test_leaving_lets_running_work_finish(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            leaving = lane.work("avatar")
            job = await lane.create(avatar=["work:0.5"])
            waiting = await lane.create()
            await lane.begun(job)
            leaving.stopping.set()
            await leaving.task
            assert (await lane.jobs.get(job.id)).status is JobStatus.SUCCEEDED
            assert (await lane.jobs.get(waiting.id)).status is JobStatus.QUEUED

    asyncio.run(scenario())


def test_leaving_hands_long_work_back(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            leaving = lane.work("avatar", options=replace(QUICK, drain_s=0.1))
            job = await lane.create(avatar=["work:60"])
            await lane.begun(job)
            leaving.stopping.set()
            await leaving.task
            assert (await lane.jobs.get(job.id)).attempts == {"avatar": 0}

            finished = []

            def finish(context: JobContext) -> None:
                finished.append(context.attempt)

            lane.work("avatar", finish)
            assert (await lane.ended(job)).status is JobStatus.SUCCEEDED
            assert finished == [1]

    asyncio.run(scenario())


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_lost_when_redis_restarts_in_mid_job(
    redis_server: RedisProcess, how: signal.Signals
) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            worker = lane.work("audio").worker
            lane.work("motion")
            lane.work("render")
            job = await lane.create(JobKind.VIDEO, audio=["work:0.6"])
            queued = [await lane.create(JobKind.VIDEO) for _ in range(3)]
            await lane.begun(job)
            await asyncio.to_thread(redis_server.stop, how)
            await asyncio.sleep(1.0)  # the handler finishes while Redis is away
            assert not worker.ready
            await asyncio.to_thread(redis_server.start)
            for one in (job, *queued):
                assert (await lane.ended(one)).status is JobStatus.SUCCEEDED
                assert lane.tries(one) == ["audio-1", "motion-1", "render-1"]

    asyncio.run(scenario())


def test_new_jobs_are_served_after_redis_lost_everything(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            lane.work("avatar")
            lost = await lane.create(avatar=["work:0.3"])
            await lane.begun(lost)
            await asyncio.to_thread(redis_server.client().flushall)
            job = await lane.ended(await lane.create())
            assert job.status is JobStatus.SUCCEEDED

    asyncio.run(scenario())


def test_two_jobs_at_once_do_not_mix(redis_server: RedisProcess) -> None:
    seen: dict[str, set[str]] = {}
    together = threading.Barrier(2, timeout=20)

    def handle(context: JobContext) -> None:
        together.wait()
        text = context.params["text"]
        for _ in range(20):
            context.store.put("avatar.zip", text.encode())
            time.sleep(0.005)
            seen.setdefault(context.job.id, set()).add(context.store.get("avatar.zip").decode())

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            lane.work("avatar", handle, replace(QUICK, concurrency=2))
            jobs = [await lane.create(text=text) for text in ("one", "two")]
            for job in jobs:
                assert (await lane.ended(job)).status is JobStatus.SUCCEEDED
                assert seen[job.id] == {job.params["text"]}

    asyncio.run(scenario())


def test_a_handler_hears_of_a_cancellation_before_what_others_see(
    redis_server: RedisProcess,
) -> None:
    cancelled, outcomes = threading.Event(), list[str]()

    def handle(context: JobContext) -> None:
        if context.job.params.get("wait"):
            assert cancelled.wait(20)
        try:
            context.confirm()
        except Cancelled:
            outcomes.append("kept out")
            raise
        outcomes.append("done")

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            lane.work("avatar", handle, replace(QUICK, heartbeat_s=5.0))
            job = await lane.create(wait=True)
            await lane.running(job)
            await lane.jobs.cancel(job.id)
            await lane.jobs.delete(job.id)
            cancelled.set()
            await lane.ended(await lane.create())

    asyncio.run(scenario())
    assert outcomes == ["kept out", "done"]


def test_nothing_stays_of_a_job_that_was_deleted_in_mid_work(redis_server: RedisProcess) -> None:
    deleted = threading.Event()

    def handle(context: JobContext) -> None:
        if context.job.params.get("wait"):
            assert deleted.wait(20)
        for name in context.stage.outputs:
            context.store.put(name, b"x")

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            lane.work("audio", handle, replace(QUICK, heartbeat_s=5.0))
            job = await lane.create(JobKind.VIDEO, wait=True)
            await lane.running(job)
            await lane.jobs.cancel(job.id)
            await lane.jobs.delete(job.id)
            deleted.set()
            following = await lane.create(JobKind.VIDEO)
            async with asyncio.timeout(20):
                while (await lane.jobs.get(following.id)).stage != "motion":
                    await asyncio.sleep(0.01)
            left = {info.key.split("/")[1] for info in lane.store.list()}
            assert left == {following.id}

    asyncio.run(scenario())
