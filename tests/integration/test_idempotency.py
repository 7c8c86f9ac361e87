"""A request that is sent again is not done again, on a real Redis."""

from __future__ import annotations

import asyncio
import io
from types import SimpleNamespace
from typing import IO, Any

import pytest
from fastapi import Request

from lipstream.errors import BadInput, Conflict
from lipstream.gateway.idempotency import once
from lipstream.pipeline import JobKind
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.job import Job
from tests.integration.redis_process import RedisProcess


def asked(key: str | None) -> Request:
    headers = [] if key is None else [(b"idempotency-key", key.encode())]
    return Request({"type": "http", "headers": headers})


class _Gateway:
    def __init__(self, url: str) -> None:
        self.link = RedisLink(url)
        self.jobs = JobStore(self.link)

    async def post(self, key: str | None, fields: Any, file: IO[bytes] | None = None) -> str:
        """As a route does; the id of the job that answers the request."""
        platform: Any = SimpleNamespace(link=self.link, jobs=self.jobs)
        async with once(platform, asked(key), "videos", fields, (file,)) as this:
            if this.made is not None:
                return this.made.id
            job = Job.new(JobKind.VIDEO, fields, this.id)
            await asyncio.sleep(0.02)
            await self.jobs.create(job)
            return job.id


def test_the_same_key_gives_the_same_job(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        gateway = _Gateway(redis_server.url)
        fields = {"text": "hi"}
        first = await gateway.post("k", fields)
        assert await gateway.post("k", fields) == first
        assert await gateway.post("another", fields) != first
        assert await gateway.post(None, fields) != await gateway.post(None, fields)
        with pytest.raises(BadInput, match="with another request"):
            await gateway.post("k", {"text": "bye"})
        with pytest.raises(BadInput, match="characters"):
            await gateway.post("k" * 300, fields)

        sound = io.BytesIO(b"sound")
        with_file = await gateway.post("f", fields, sound)
        assert sound.read() == b"sound"
        sound.seek(0)
        assert await gateway.post("f", fields, sound) == with_file
        with pytest.raises(BadInput, match="with another request"):
            await gateway.post("f", fields, io.BytesIO(b"noise"))
        assert len(await gateway.jobs.list_jobs(JobKind.VIDEO)) == 5
        await gateway.link.close()

    asyncio.run(scenario())


def test_twins_in_one_moment_make_one_job(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        gateway = _Gateway(redis_server.url)
        answers = await asyncio.gather(
            *(gateway.post("k", {"text": "hi"}) for _ in range(5)), return_exceptions=True
        )
        made = [answer for answer in answers if isinstance(answer, str)]
        waited = [answer for answer in answers if isinstance(answer, Conflict)]
        assert (len(made), len(waited)) == (1, 4)
        assert waited[0].code == "idempotency_in_progress"
        assert await gateway.post("k", {"text": "hi"}) == made[0]
        await gateway.link.close()

    asyncio.run(scenario())
