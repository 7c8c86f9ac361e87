"""Fits in processes of their own, here and as Jobs: made once, ended by a cancel, never lost."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lipstream.avatar.fits.child import ChildLauncher
from lipstream.avatar.fits.cluster import ClusterLauncher
from lipstream.avatar.fits.handler import SupervisedFit
from lipstream.errors import BadInput
from lipstream.pipeline import JobKind
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import open_store
from lipstream.wire.job import Job, JobStatus
from lipstream.wire.objects import FIT_LOG, job_object
from lipstream.wire.problem import Problem
from tests.integration.fits.cluster import FakeCluster
from tests.integration.job_lane import QUICK, JobLane, avatar_stage
from tests.integration.redis_process import RedisProcess
from tests.portrait import CONSENT, hopper_photo

FIT = [sys.executable, "-m", "lipstream.avatar.fits"]
# What a fit's process says in Redis, without the weight of one: it waits for a file, then is done.
WAITING = """
import json, os, pathlib, redis, sys, time
client = redis.Redis.from_url(os.environ["LIPSTREAM_REDIS"])
key = "{lipstream}:fit:" + sys.argv[1]
client.hset(key, "fraction", "0.5")
while not pathlib.Path(os.environ["LIPSTREAM_STORE"], "go").exists():
    time.sleep(0.02)
done = {"results": {"face_psnr_db": 31.5}, "warnings": ["Too dark."]}
done |= {"problem": "", "status": "", "verdict": "retry"}
client.hset(key, "outcome", json.dumps(done))
"""


def template(folder: Path, command: list[str]) -> Path:
    """A template of a Job, as short as it can be; the chart's own is looked at in tests/chart."""
    pod = {
        "restartPolicy": "Never",
        "containers": [{"name": "fit", "command": command, "args": []}],
    }
    path = folder / "job.yaml"
    path.write_text(
        json.dumps(
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {"name": "lipstream-fit", "namespace": "lipstream"},
                "spec": {"template": {"spec": pod}},
            }
        )
    )
    return path


class Lane:
    """An avatar service's worker that gives its fits away."""

    def __init__(self, lane: JobLane, store_folder: Path) -> None:
        self.lane = lane
        lane.store = open_store(str(store_folder))

    async def fit(self, photo: bytes, name: str = "grace") -> Job:
        params = {"avatar": name, "photo": "input.jpg", "consent": CONSENT, "consent_by": "G"}
        job = Job.new(JobKind.AVATAR, params)
        self.lane.store.put(job_object(job.id, "input.jpg"), photo)
        await self.lane.jobs.create(job)
        return job

    async def waits(self, job: Job) -> Problem:
        """Why its last try did not count, once one has ended so."""
        async with asyncio.timeout(20):
            while (found := await self.lane.jobs.get(job.id)).last_error is None:
                await asyncio.sleep(0.02)
        assert not found.status.finished
        return found.last_error

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.02)


def supervised(redis: RedisProcess, path: Path) -> SupervisedFit:
    launcher = ClusterLauncher.of(path)
    launcher.poll_s = 0.05
    return SupervisedFit(launcher, redis.url)


def test_a_photo_becomes_an_avatar_in_a_job(
    redis_server: RedisProcess, store_folder: Path, cluster: FakeCluster, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as jobs:
            lane = Lane(jobs, store_folder)
            jobs.work("avatar", supervised(redis_server, template(tmp_path, FIT)))
            job = await lane.fit(hopper_photo().read_bytes())
            events = [event async for event in jobs.jobs.events(job.id)]
            job = await jobs.jobs.get(job.id)
            assert job.status is JobStatus.SUCCEEDED, job.error
            assert job.attempts == {"avatar": 1}
            assert job.results["face_psnr_db"] > 20
            assert any(0.0 < event.progress < 1.0 for event in events)
            consent = AvatarLibrary(jobs.store).entry("grace").manifest["consent"]
            assert (consent["statement"], consent["by"]) == (CONSENT, "G")
            assert not redis_server.client().exists(f"{{lipstream}}:fit:{job.id}")

    asyncio.run(scenario())
    [made] = cluster.jobs.values()
    assert made["metadata"]["annotations"]["lipstream.dev/job-id"]


def test_a_refusal_in_a_process_is_the_same_as_here(
    redis_server: RedisProcess,
    store_folder: Path,
    fit_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in fit_env.items():
        monkeypatch.setenv(name, value)

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as jobs:
            lane = Lane(jobs, store_folder)
            jobs.work("avatar", SupervisedFit(ChildLauncher(6000), redis_server.url))
            job = await jobs.ended(await lane.fit(b"no photo"))
            assert job.status is JobStatus.FAILED
            assert job.error is not None
            assert job.error.code == "not_an_image"
            assert job.error.remedy
            assert job.attempts == {"avatar": 1}

    asyncio.run(scenario())


def test_a_process_over_its_memory_ends_the_try_alone(
    redis_server: RedisProcess, store_folder: Path, fit_env: dict[str, str]
) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as jobs:
            lane = Lane(jobs, store_folder)
            once = avatar_stage(max_tries=1)
            jobs.work(once, SupervisedFit(ChildLauncher(1), redis_server.url))
            job = await jobs.ended(await lane.fit(b"no photo"))
            assert job.status is JobStatus.FAILED
            assert job.error is not None
            assert job.error.code in ("fit_died", "out_of_memory")

    asyncio.run(scenario())


def test_a_cancel_deletes_the_job(
    redis_server: RedisProcess, store_folder: Path, cluster: FakeCluster, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as jobs:
            lane = Lane(jobs, store_folder)
            path = template(tmp_path, ["sh", "-c", "exec sleep 60"])
            jobs.work("avatar", supervised(redis_server, path), replace(QUICK, stop_grace_s=10.0))
            job = await lane.fit(b"photo")
            await lane.until(lambda: cluster.jobs)
            [name] = cluster.jobs
            await jobs.jobs.cancel(job.id)
            await lane.until(lambda: not cluster.jobs)
            assert not cluster.runs(name)
            assert (await jobs.jobs.get(job.id)).status is JobStatus.CANCELLED

    asyncio.run(scenario())


def test_a_restarted_service_finds_its_job(
    redis_server: RedisProcess, store_folder: Path, cluster: FakeCluster, tmp_path: Path
) -> None:
    path = template(tmp_path, [sys.executable, "-c", WAITING])

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as jobs:
            lane = Lane(jobs, store_folder)
            options = replace(QUICK, drain_s=0.05, stop_grace_s=10.0)
            first = jobs.work("avatar", supervised(redis_server, path), options)
            job = await lane.fit(b"photo")
            await lane.until(lambda: cluster.jobs)
            first.stopping.set()
            await first.task
            [name] = cluster.jobs
            assert cluster.runs(name)

            jobs.work("avatar", supervised(redis_server, path), options)
            async with asyncio.timeout(20):
                while (await jobs.jobs.get(job.id)).progress < 0.5:
                    await asyncio.sleep(0.02)
            (store_folder / "go").touch()
            job = await jobs.ended(job)
            assert job.status is JobStatus.SUCCEEDED, job.error
            assert job.results == {"face_psnr_db": 31.5}
            assert job.warnings == ("Too dark.",)
            assert list(cluster.jobs) == [name]

    asyncio.run(scenario())


def test_logs_of_a_fit_that_died_are_kept(
    redis_server: RedisProcess, store_folder: Path, cluster: FakeCluster, tmp_path: Path
) -> None:
    path = template(tmp_path, ["sh", "-c", "echo last words of $0; exit 9"])

    async def scenario() -> Job:
        async with JobLane.on(redis_server.url) as jobs:
            lane = Lane(jobs, store_folder)
            jobs.work("avatar", supervised(redis_server, path))
            job = await jobs.ended(await lane.fit(b"photo"))
            assert jobs.store.get(job_object(job.id, FIT_LOG)) == (
                f"last words of {job.id}\n".encode()
            )
            return job

    job = asyncio.run(scenario())
    assert job.error is not None
    assert job.error.code == "fit_died"
    # Each try had a Job of its own, and all stay to be looked at.
    assert len(cluster.jobs) == job.attempts["avatar"] == 3


def test_a_fit_killed_for_its_memory_says_so(
    redis_server: RedisProcess, store_folder: Path, cluster: FakeCluster, tmp_path: Path
) -> None:
    path = template(tmp_path, ["sh", "-c", "kill -9 $$"])

    async def scenario() -> Job:
        async with JobLane.on(redis_server.url) as jobs:
            lane = Lane(jobs, store_folder)
            jobs.work("avatar", supervised(redis_server, path))
            return await jobs.ended(await lane.fit(b"photo"))

    job = asyncio.run(scenario())
    assert job.error is not None
    assert job.error.code == "out_of_memory"


def test_a_cluster_that_refuses_is_named(
    redis_server: RedisProcess, store_folder: Path, cluster: FakeCluster, tmp_path: Path
) -> None:
    cluster.refuses = 403
    path = template(tmp_path, [sys.executable, "-c", WAITING])
    (store_folder / "go").touch()

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as jobs:
            lane = Lane(jobs, store_folder)
            jobs.work("avatar", supervised(redis_server, path))
            job = await lane.fit(b"photo")
            error = await lane.waits(job)
            assert error.code == "cluster_refused"
            assert "Role" in error.remedy
            cluster.refuses = 0
            job = await jobs.ended(job)
            assert job.status is JobStatus.SUCCEEDED
            assert job.attempts == {"avatar": 1}

    asyncio.run(scenario())


def test_without_a_template_the_service_does_not_start() -> None:
    with pytest.raises(BadInput, match="LIPSTREAM_FIT_TEMPLATE"):
        ClusterLauncher.of(None)
