"""Workers in the test's own event loop on a real Redis, and what tests ask about their jobs."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lipstream.pipeline import PIPELINES, JobKind, Stage, stage_named
from lipstream.runtime.job_context import Handler
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.object_store import ObjectStore, open_store
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.stream_worker import StreamWorker
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.worker_options import WorkerOptions
from lipstream.wire.job import Job, JobStatus
from lipstream.wire.messages import JobEvent
from tests.integration.dummy_stage import handle as dummy_handle

__all__ = ["QUICK", "JobLane", "avatar_stage"]

QUICK = WorkerOptions(
    heartbeat_s=0.05,
    claim_idle_s=30.0,
    retry_base_s=0.05,
    block_ms=50,
    drain_s=5.0,
    stop_grace_s=0.3,
)
_LONG_S = 30.0


@dataclass
class _Running:
    worker: StreamWorker
    task: asyncio.Task[None]
    stopping: asyncio.Event


class JobLane:
    """Everything that jobs need but the processes."""

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        self._running: list[_Running] = []
        self._link = RedisLink(redis_url, patience_s=10.0)
        self.jobs = JobStore(self._link)
        self.store: ObjectStore = open_store("memory://")
        self.telemetry = Telemetry("test")

    @classmethod
    @contextlib.asynccontextmanager
    async def on(cls, redis_url: str) -> AsyncIterator[JobLane]:
        lane = cls(redis_url)
        try:
            yield lane
        finally:
            for running in lane._running:
                running.stopping.set()
            await asyncio.gather(*(r.task for r in lane._running), return_exceptions=True)
            await lane._link.close()

    def work(
        self,
        stage: str | Stage,
        handler: Handler = dummy_handle,
        options: WorkerOptions = QUICK,
    ) -> _Running:
        """Start a worker."""
        stopping = asyncio.Event()
        worker = StreamWorker(
            stage_named(stage) if isinstance(stage, str) else stage,
            handler,
            link=RedisLink(self._url, patience_s=math.inf),
            store=self.store,
            telemetry=self.telemetry,
            options=options,
        )
        running = _Running(worker, asyncio.create_task(worker.run(stopping)), stopping)
        self._running.append(running)
        return running

    async def create(self, kind: JobKind = JobKind.AVATAR, **params: Any) -> Job:
        job = Job.new(kind, params)
        await self.jobs.create(job)
        return job

    async def events(self, job: Job) -> list[JobEvent]:
        """All events of a job, once it has ended."""
        async with asyncio.timeout(_LONG_S):
            return [event async for event in self.jobs.events(job.id)]

    async def ended(self, job: Job) -> Job:
        """The job, once it has ended."""
        await self.events(job)
        return await self.jobs.get(job.id)

    async def ended_again(self, job: Job) -> Job:
        """The job, once it has ended after it was begun again."""
        async with asyncio.timeout(_LONG_S):
            while not (found := await self.jobs.get(job.id)).status.finished:
                await asyncio.sleep(0.01)
        return found

    async def begun(self, job: Job) -> None:
        """Wait until a worker has begun with the job."""
        async with asyncio.timeout(_LONG_S):
            while not self.tries(job):
                await asyncio.sleep(0.01)

    async def running(self, job: Job) -> None:
        """Wait until a worker holds the job, whatever its handler is."""
        async with asyncio.timeout(_LONG_S):
            while (await self.jobs.get(job.id)).status is not JobStatus.RUNNING:
                await asyncio.sleep(0.01)

    def tries(self, job: Job) -> list[str]:
        """`stage-attempt` of each run of the dummy handler, in no order."""
        marks = self.store.list(f"jobs/{job.id}/trace")
        return sorted("-".join(m.key.rpartition("/")[2].split("-")[:2]) for m in marks)


def avatar_stage(**changes: Any) -> Stage:
    """The one stage of an avatar's pipeline, with other bounds."""
    stage = PIPELINES[JobKind.AVATAR].first
    values: Mapping[str, Any] = changes
    return replace(stage, **values)
