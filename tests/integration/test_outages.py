"""Jobs wait for what all jobs need, on a real Redis."""

from __future__ import annotations

import asyncio
import errno
import threading
from dataclasses import replace

from lipstream.runtime.job_context import JobContext
from lipstream.wire.job import JobStatus
from tests.integration.job_lane import QUICK, JobLane
from tests.integration.redis_process import RedisProcess


def test_tries_that_an_outage_ends_do_not_count(redis_server: RedisProcess) -> None:
    told = []

    def handle(context: JobContext) -> None:
        told.append(context.attempt)
        if len(told) == 2:
            raise RuntimeError("a fault of this job")
        if len(told) < 7:
            raise OSError(errno.ENOSPC, "No space left on device", "/secret/path")

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            lane.work("avatar", handle, replace(QUICK, retry_limit_s=0.05))
            job = await lane.ended(await lane.create())
            assert job.status is JobStatus.SUCCEEDED
            assert told == [1, 1, 2, 2, 2, 2, 2]
            assert job.attempts["avatar"] == 2
            assert job.last_error is None

    asyncio.run(scenario())


def test_an_outage_that_does_not_end_is_named_and_the_job_can_be_begun_again(
    redis_server: RedisProcess,
) -> None:
    space = threading.Event()

    def handle(context: JobContext) -> None:
        if not space.is_set():
            raise OSError(errno.ENOSPC, "No space left on device", "/secret/path")

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            lane.work("avatar", handle, replace(QUICK, outage_limit_s=0.3, retry_limit_s=0.1))
            job = await lane.create()
            while (found := await lane.jobs.get(job.id)).last_error is None:
                await asyncio.sleep(0.01)
            assert not found.status.finished
            job = await lane.ended(job)
            assert job.status is JobStatus.FAILED
            assert job.error is not None
            assert job.error == found.last_error
            assert job.error.code == "disk_full"
            assert "secret" not in job.error.detail
            space.set()
            await lane.jobs.revive(job.id)
            assert (await lane.ended_again(job)).status is JobStatus.SUCCEEDED

    asyncio.run(scenario())
