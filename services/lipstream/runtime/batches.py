"""Batches: many jobs that were asked for at once, by the lines of a manifest.

A batch keeps what became of each line when it was read: a job, or a reason. What became of the jobs
since is theirs to say.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lipstream.errors import NotFound
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.job import Job
from lipstream.wire.problem import Problem
from lipstream.wire.streams import DEFAULT_TENANT, batch_key, batches_of, job_key

__all__ = ["Batch", "BatchStore"]

_AT_ONCE = 500
_SILENT_MS = 60_000
"""Who reads a manifest gives a sign of life more often."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is kept of one."""

    id: str
    tenant: str = DEFAULT_TENANT
    created_ms: int = 0
    lines: int = 0
    """In its manifest."""
    refused: Mapping[int, Problem] = field(default_factory=dict)
    """Lines of which no job could be made, from 1."""
    reading_ms: int | None = None
    """The last sign of life of the server that makes jobs of the lines; None once it is through."""

    @property
    def reading(self) -> bool:
        """Whether lines may still become jobs."""
        return self.reading_ms is not None and not self.cut_off

    @property
    def cut_off(self) -> bool:
        """Whether that server died before it was through."""
        return self.reading_ms is not None and _now_ms() - self.reading_ms > _SILENT_MS

    def job_id(self, line: int) -> str:
        """Of the job that a line, from 1, is or would be."""
        return f"{self.id}-{line}"


class BatchStore:
    """
    Args:
        ttl_s: how long a batch is remembered.

    Raises:
        Unavailable: from every method, when Redis does not answer.
    """

    def __init__(self, link: RedisLink, *, ttl_s: float) -> None:
        self._link = link
        self._ttl_s = max(1, round(ttl_s))

    async def begin(self, batch_id: str, tenant: str, lines: int) -> Batch:
        """Keep a new batch; one that is there stays as it is, without what was refused of it."""
        key = batch_key(batch_id)
        client: Any = self._link.client
        now_ms = str(_now_ms())
        await self._link.call(lambda: client.hsetnx(key, "created_ms", now_ms))
        fields = {"tenant": tenant, "lines": str(lines), "reading_ms": now_ms}
        await self._link.call(lambda: client.hset(key, mapping=fields))
        await self._link.call(lambda: client.expire(key, self._ttl_s))
        batch = await self.get(batch_id)
        listed = {batch_id: batch.created_ms}
        await self._link.call(lambda: client.zadd(batches_of(tenant), listed))
        if names := [f"refused:{line}" for line in batch.refused]:
            await self._link.call(lambda: client.hdel(key, *names))
        return await self.get(batch_id)

    async def refuse(self, batch: Batch, line: int, problem: Problem) -> None:
        """Keep why no job could be made of a line."""
        client: Any = self._link.client
        await self._link.call(
            lambda: client.hset(batch_key(batch.id), f"refused:{line}", problem.encode())
        )

    async def still_reading(self, batch: Batch) -> None:
        """A sign of life, to be given several times a minute until `read_through`."""
        client: Any = self._link.client
        now_ms = str(_now_ms())
        await self._link.call(lambda: client.hset(batch_key(batch.id), "reading_ms", now_ms))

    async def read_through(self, batch: Batch) -> None:
        """Each line has its job or its refusal."""
        client: Any = self._link.client
        await self._link.call(lambda: client.hdel(batch_key(batch.id), "reading_ms"))

    async def get(self, batch_id: str) -> Batch:
        """
        Raises:
            NotFound: there is none.
            BadInput: the id is malformed.
        """
        client: Any = self._link.client
        raw: dict[str, str] = await self._link.call(lambda: client.hgetall(batch_key(batch_id)))
        if "lines" not in raw:
            raise NotFound(f"There is no batch {batch_id[:64]!r}.")
        return Batch(
            id=batch_id,
            tenant=raw["tenant"],
            created_ms=int(raw["created_ms"]),
            lines=int(raw["lines"]),
            refused={
                int(name.partition(":")[2]): Problem.decode(value)
                for name, value in raw.items()
                if name.startswith("refused:")
            },
            reading_ms=int(raw["reading_ms"]) if "reading_ms" in raw else None,
        )

    async def newest(self, tenant: str, limit: int) -> list[Batch]:
        """A tenant's, so many at most, the newest first."""
        client: Any = self._link.client
        key = batches_of(tenant)
        found: list[Batch] = []
        while len(found) < limit:
            first = len(found)
            page = partial(client.zrevrange, key, first, limit - 1)
            ids: list[str] = await self._link.call(page)
            if not ids:
                break
            for batch_id in ids:
                try:
                    found.append(await self.get(batch_id))
                except NotFound:  # forgotten
                    await self._link.call(partial(client.zrem, key, batch_id))
        return found

    async def jobs(self, batch: Batch, lines: range) -> dict[int, Job]:
        """The jobs of some lines, by line; lines without one are left out."""
        found: dict[int, Job] = {}
        for first in range(lines.start, lines.stop, _AT_ONCE):
            some = range(first, min(first + _AT_ONCE, lines.stop))

            async def ask(some: range = some) -> list[dict[str, str]]:
                pipe = self._link.client.pipeline(transaction=False)
                for line in some:
                    pipe.hgetall(job_key(batch.job_id(line)))
                answers: list[dict[str, str]] = await pipe.execute()
                return answers

            answers = await self._link.call(ask)
            found |= {n: Job.decode(raw) for n, raw in zip(some, answers, strict=True) if raw}
        return found


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
