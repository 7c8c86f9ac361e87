"""What operators do about jobs that failed, and what is deleted of those that are over."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lipstream.cli.app import app
from lipstream.cli.console import console
from lipstream.errors import BadInput, Conflict, NotFound
from lipstream.pipeline import JobKind
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.object_store import open_store
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.retention import Retention
from lipstream.wire.job import Job, JobStatus
from tests.integration.dummy_stage import handle
from tests.integration.job_lane import JobLane
from tests.integration.redis_process import RedisProcess


def run(*words: str) -> str:
    """The command's output."""
    outcome = CliRunner().invoke(app, ["jobs", *words], catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def test_dead_letters_are_seen_and_replayed(
    redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPSTREAM_REDIS", redis_server.url)
    monkeypatch.setattr(console, "width", 300)
    broken = True

    def render(context: JobContext) -> None:
        if broken:
            raise BadInput("The disk is full.", remedy="Free some space.", code="disk_full")
        handle(context)

    async def scenario() -> None:
        nonlocal broken
        async with JobLane.on(redis_server.url) as lane:
            for stage in ("audio", "motion"):
                lane.work(stage)
            lane.work("render", render)
            jobs = [await lane.create(JobKind.VIDEO) for _ in range(2)]
            for job in jobs:
                assert (await lane.ended(job)).status is JobStatus.FAILED
            seen = await asyncio.to_thread(run, "dead", "--stage", "render")
            assert seen.count("disk_full") == 2
            assert "Free some space." in seen
            assert "failed" in await asyncio.to_thread(run, "list", "--status", "failed")
            shown = json.loads(await asyncio.to_thread(run, "show", jobs[0].id))
            assert shown["error"]["remedy"] == "Free some space."
            assert shown["attempts"] == {"audio": 1, "motion": 1, "render": 1}

            broken = False
            await asyncio.to_thread(run, "retry", jobs[0].id)
            assert (await lane.ended_again(jobs[0])).status is JobStatus.SUCCEEDED
            replayed = await asyncio.to_thread(run, "dead", "--code", "disk_full", "--retry")
            assert "1 jobs begin again." in replayed
            ended = await lane.ended_again(jobs[1])
            assert ended.status is JobStatus.SUCCEEDED
            assert ended.error is None
            assert ended.attempts == {"audio": 1, "motion": 1, "render": 1}
            assert await lane.jobs.dead_letters("render") == []
            with pytest.raises(Conflict, match="neither failed"):
                await lane.jobs.revive(jobs[1].id)
            with pytest.raises(NotFound):
                await lane.jobs.revive("unknown")

            waiting = Job.new(JobKind.AVATAR, {})
            await lane.jobs.create(waiting)
            assert "cancelled" in await asyncio.to_thread(run, "cancel", waiting.id)
            assert (await lane.jobs.get(waiting.id)).status is JobStatus.CANCELLED

    asyncio.run(scenario())
    assert redis_server.client().scard("{lipstream}:open:default") == 0


def test_objects_of_forgotten_jobs_go_and_no_others(
    redis_server: RedisProcess, tmp_path: Path
) -> None:
    objects = tmp_path / "objects"
    store = open_store(str(objects))
    ttl_s = 3600.0

    async def scenario() -> None:
        link = RedisLink(redis_server.url)
        async with JobLane.on(redis_server.url) as lane:
            known = await lane.create()
            forgotten = await lane.create()
            await lane.jobs.cancel(forgotten.id)
            names = {
                f"jobs/{known.id}/input": "old",
                f"jobs/{forgotten.id}/input": "old",
                f"jobs/{forgotten.id}/parts/0-200": "old",
                "jobs/half-new/input": "old",
                "jobs/half-new/video": "new",  # an upload whose job is about to be made
                "avatars/grace/bundle.zip": "old",
            }
            then = time.time() - ttl_s - 60
            for name, age in names.items():
                store.put(name, b"x")
                if age == "old":
                    os.utime(objects / name, (then, then))
            client = redis_server.client()
            client.delete(f"{{lipstream}}:job:{forgotten.id}")  # as if its time had passed
            client.zadd("{lipstream}:index:avatar", {forgotten.id: then * 1000})
            retention = Retention(link, store, ttl_s=ttl_s, every_s=60)
            assert await retention.sweep() == 2
            assert {info.key for info in store.list()} == {
                name for name in names if forgotten.id not in name
            }
            assert client.zrange("{lipstream}:index:avatar", 0, -1) == [known.id]
            assert await retention.sweep() == 0
        await link.close()

    asyncio.run(scenario())
