"""Jobs as those see them who ask for them: create, look, watch, cancel.

The other side, where stages take work and hand it on, is `stage_queue`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from lipstream.errors import Conflict, Internal, NotFound, Overloaded
from lipstream.pipeline import PIPELINES, STAGES, JobKind, stage_named
from lipstream.runtime import job_scripts
from lipstream.runtime.fair_queue import HELD_BACK
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.tracing import traceparent
from lipstream.wire.fields import dump_json
from lipstream.wire.job import Job, JobStatus, Priority
from lipstream.wire.messages import (
    FIRST_EVENT,
    DeadLetter,
    JobEvent,
    StageMessage,
    checked_event_id,
)
from lipstream.wire.problem import Problem
from lipstream.wire.streams import (
    DEFAULT_TENANT,
    caps_hash,
    dead_stream,
    deadlines_key,
    events_stream,
    index_key,
    job_key,
    open_jobs_set,
    waiting_hash,
)
from lipstream.wire.tenants import checked_tenant

__all__ = ["JobStore", "flat"]

logger = logging.getLogger(__name__)

_WATCH_BLOCK_MS = (1000, 3000)
"""Spread, so that many who watch do not all look again in one moment."""
_EXPIRED_AT_ONCE = 100
_LETTERS = 10_000
"""In a stage's stream of them, at most."""
_STREAMS = tuple(stage.stream for stage in STAGES)


class JobStore:
    """All jobs, kept in Redis.

    Args:
        link: to Redis.
        ttl_s: how long a finished job is remembered.
        max_queued: jobs that may wait at a first stage, of those in a hurry; 0 means any number.
        max_open: jobs of one tenant that have not ended; 0 means any number.
        cap: how many jobs of one tenant are worked on at once, unless the tenant has its own cap
            (`set_cap`); 0 means any number.

    Raises:
        Unavailable: from every method, when Redis does not answer within the link's patience.
        BadInput: from every method, when an id is malformed.
    """

    def __init__(
        self,
        link: RedisLink,
        *,
        ttl_s: float = 604_800.0,
        max_queued: int = 0,
        max_open: int = 0,
        cap: int = 0,
    ) -> None:
        self._link = link
        self._ttl_s = max(1, round(ttl_s))
        self._max_queued = max_queued
        self._max_open = max_open
        self._cap = cap

    async def create(self, job: Job) -> None:
        """Keep a new job and queue it at its first stage, in one step.

        Raises:
            Conflict: there is a job of that id.
            Overloaded: too many jobs wait, or the tenant has too many that have not ended.
        """
        first = PIPELINES[job.kind].first
        message = StageMessage(
            job.id, job.kind, first.name, flow=job.flow, traceparent=traceparent()
        ).encode()
        keys = [
            job_key(job.id),
            events_stream(job.id),
            first.stream,
            index_key(job.kind, job.tenant),
            deadlines_key(),
            open_jobs_set(job.tenant),
            caps_hash(),
        ]
        # Batches are asked for all at once, and give way.
        most = self._max_queued if job.priority is Priority.INTERACTIVE else 0
        fields = job.encode()
        args = [job.id, str(job.created_ms), fields["params"], str(most), str(self._max_open)]
        args += [dump_json(flat(message)), str(self._cap), *flat(fields)]
        answer = await self._eval(job_scripts.CREATE, keys, args)
        if answer == "exists":
            raise Conflict(f"There is a job {job.id!r} already.")
        if answer == "full":
            raise Overloaded(
                f"{self._max_queued} jobs are waiting; no more are taken.",
                remedy="Try again when some are done.",
            )
        if answer == "quota":
            raise Overloaded(
                f"{self._max_open} jobs have not ended; no more are taken.",
                remedy="Try again when some are done.",
                code="quota_exceeded",
            )
        logger.info("job created", extra={"job_id": job.id, "kind": job.kind.value})

    async def get(self, job_id: str) -> Job:
        """
        Raises:
            NotFound: there is no such job, or it ended too long ago.
        """
        raw = await self._link.call(lambda: self._client.hgetall(job_key(job_id)))
        if not raw:
            raise _missing(job_id)
        return Job.decode(raw)

    async def list_jobs(
        self,
        kind: JobKind,
        *,
        tenant: str = DEFAULT_TENANT,
        limit: int = 50,
        before_ms: int | None = None,
    ) -> list[Job]:
        """A tenant's newest jobs first.

        Args:
            limit: how many at most.
            before_ms: only jobs created before this Unix time, to page on.
        """
        key = index_key(kind, tenant)
        highest = "+inf" if before_ms is None else f"({before_ms}"
        jobs: list[Job] = []
        offset = 0
        while len(jobs) < limit:
            page = partial(self._client.zrevrangebyscore, key, highest, "-inf", offset, limit)
            ids: list[str] = await self._link.call(page)
            if not ids:
                break
            for job_id in ids:
                raw = await self._link.call(partial(self._client.hgetall, job_key(job_id)))
                if raw:
                    jobs.append(Job.decode(raw))
                    offset += 1
                else:  # it ended too long ago
                    await self._link.call(partial(self._client.zrem, key, job_id))
        return jobs[:limit]

    async def cancel(self, job_id: str) -> JobStatus:
        """End a job that has not ended; running work on it stops within a heartbeat.

        Returns:
            The job's status now: `cancelled`, or what it had already ended with.

        Raises:
            NotFound: there is no such job.
        """
        keys = [job_key(job_id), events_stream(job_id), *_STREAMS]
        answer = await self._eval(job_scripts.CANCEL, keys, [str(self._ttl_s)])
        if answer == "missing":
            raise _missing(job_id)
        return JobStatus.parse(answer)

    async def expire(self) -> int:
        """Fail the jobs whose deadline has passed, wherever they are; say how many."""
        now = await self._link.call(lambda: self._client.time(), patience_s=0.0)
        now_ms = now[0] * 1000 + now[1] // 1000
        due: list[str] = await self._link.call(
            lambda: self._client.zrangebyscore(
                deadlines_key(), "-inf", now_ms, start=0, num=_EXPIRED_AT_ONCE
            )
        )
        problem = Problem.of(
            Internal(
                "The job was not done by its deadline.",
                remedy="Allow it more time, or run more workers.",
                code="deadline_exceeded",
            )
        ).encode()
        count = 0
        for job_id in due:
            keys = [job_key(job_id), events_stream(job_id), deadlines_key(), *_STREAMS]
            args = [str(self._ttl_s), job_id, problem]
            count += await self._eval(job_scripts.EXPIRE, keys, args) == "done"
        return count

    async def revive(self, job_id: str) -> Job:
        """Begin again with a job that failed or was cancelled, at the stage where it was.

        Its tries count from the start, it has no deadline any more, and its dead letters are gone.

        Raises:
            NotFound: there is no such job.
            Conflict: it has neither failed nor been cancelled.
        """
        job = await self.get(job_id)
        stage = stage_named(job.stage)
        message = StageMessage(job.id, job.kind, stage.name, flow=job.flow).encode()
        keys = [job_key(job_id), events_stream(job_id), stage.stream, open_jobs_set(job.tenant)]
        answer = await self._eval(
            job_scripts.REVIVE, keys, [job_id, stage.name, dump_json(flat(message))]
        )
        if answer == "missing":
            raise _missing(job_id)
        if answer != "done":
            raise Conflict(f"The job {job_id!r} has neither failed nor been cancelled.")
        letters = await self.dead_letters(stage.name, limit=_LETTERS)
        gone = [letter.id for letter in letters if letter.job_id == job_id]
        if gone:
            await self._link.call(lambda: self._client.xdel(dead_stream(stage.name), *gone))
        return await self.get(job_id)

    async def caps(self) -> dict[str, int]:
        """How many jobs of a tenant are worked on at once; 0: any number; `*`: all others."""
        raw: dict[str, str] = await self._link.call(lambda: self._client.hgetall(caps_hash()))
        return {tenant: int(cap) for tenant, cap in sorted(raw.items())}

    async def set_cap(self, tenant: str, cap: int | None) -> None:
        """Give a tenant a cap of its own, 0 for none; or, with None, that of all others again.

        Raises:
            BadInput: no tenant can be named so.
        """
        checked_tenant(tenant)
        if cap is None:
            await self._link.call(lambda: self._client.hdel(caps_hash(), tenant))
        else:
            await self._link.call(lambda: self._client.hset(caps_hash(), tenant, cap))

    async def held_back(self, job: Job) -> bool:
        """Whether a job waits at its stage because its tenant is at its cap."""
        stream = stage_named(job.stage).stream
        if not await self._link.call(lambda: self._client.hexists(waiting_hash(stream), job.id)):
            return False
        return bool(await self._eval(HELD_BACK, [stream], [job.tenant]))

    async def delete(self, job_id: str) -> None:
        """Forget a job that has ended. Its objects are the caller's to delete.

        Raises:
            NotFound: there is no such job.
            Conflict: it has not ended.
        """
        # Of several callers at once, one succeeds.
        job = await self.get(job_id)
        if not job.status.finished:
            raise Conflict(f"The job {job_id!r} has not ended.", remedy="Cancel it first.")
        count: int = await self._link.call(
            lambda: self._client.delete(job_key(job_id), events_stream(job_id))
        )
        if not count:
            raise _missing(job_id)
        await self._link.call(lambda: self._client.zrem(index_key(job.kind, job.tenant), job_id))

    async def events(self, job_id: str, after: str = FIRST_EVENT) -> AsyncIterator[JobEvent]:
        """What happened to a job after the event of id `after`, then what happens, to its end.

        Raises:
            NotFound: there is no such job.
            BadInput: `after` is no id of an event.
        """
        key = events_stream(job_id)
        checked_event_id(after)
        while True:
            # Looked at before the wait: news that come in between are in the stream already.
            job = await self.get(job_id)
            block_ms = None if job.status.finished else random.randint(*_WATCH_BLOCK_MS)
            reply: Any = await self._link.call(
                partial(self._client.xread, {key: after}, block=block_ms)
            )
            for event_id, fields in reply[0][1] if reply else ():
                after = event_id
                event = JobEvent.decode(event_id, fields)
                yield event
                if event.status.finished:
                    return
            if not reply and job.status.finished:
                return

    async def dead_letters(self, stage: str, limit: int = 100) -> list[DeadLetter]:
        """The newest messages that a stage gave up, each with its reason."""
        entries: Any = await self._link.call(
            lambda: self._client.xrevrange(dead_stream(stage), count=limit)
        )
        return [DeadLetter.decode(letter_id, fields) for letter_id, fields in entries]

    @property
    def _client(self) -> Any:
        return self._link.client

    async def _eval(self, script: str, keys: list[str], args: list[str]) -> str:
        answer: str = await self._link.call(
            lambda: self._client.eval(script, len(keys), *keys, *args)
        )
        return answer


def flat(fields: dict[str, str]) -> list[str]:
    """Names and values in turn, as Redis commands take them."""
    return [part for pair in fields.items() for part in pair]


def _missing(job_id: str) -> NotFound:
    return NotFound(f"There is no job {job_id!r}.", remedy="See them with: lipstream jobs list")
