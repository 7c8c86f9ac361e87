"""What all fits need is gone for a fit's own process alone: its job waits, and no try counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lipstream.avatar.fits.child import ChildLauncher
from lipstream.avatar.fits.handler import SupervisedFit
from lipstream.wire.job import JobStatus
from loadtests.faults import SmallDisk
from tests.integration.fits.cluster import FakeCluster
from tests.integration.fits.test_fits import FIT, Lane, supervised, template
from tests.integration.job_lane import JobLane
from tests.integration.redis_process import RedisProcess, free_port

Mend = Callable[[], object]


class Harm:
    """Each method takes one thing away from processes of fits and says what gives it back."""

    def __init__(self, env: dict[str, str], patch: pytest.MonkeyPatch, folder: Path) -> None:
        self._env = env
        self._patch = patch
        self._folder = folder
        self.on_leaving = ExitStack()

    def no_scratch(self) -> Mend:
        data = Path(self._env["LIPSTREAM_DATA_DIR"])
        data.write_text("no folder")
        return data.unlink

    def disk_full(self) -> Mend:
        disk = self.on_leaving.enter_context(SmallDisk(self._folder / "small", 1 << 20))
        if not disk.mounted:
            pytest.skip("may not mount a file system")
        self._patch.setenv("LIPSTREAM_DATA_DIR", str(disk.folder))
        disk.fill()
        return disk.free

    def store_denied(self) -> Mend:
        (self._folder / "file").touch()
        return self._lost("LIPSTREAM_STORE", str(self._folder / "file" / "objects"))

    def redis_unavailable(self) -> Mend:
        return self._lost("LIPSTREAM_REDIS", f"redis://127.0.0.1:{free_port()}/0")

    def _lost(self, name: str, value: str) -> Mend:
        self._patch.setenv(name, value)
        return lambda: self._patch.setenv(name, self._env[name])


@pytest.fixture
def harm(
    fit_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Harm]:
    for name, value in fit_env.items():
        monkeypatch.setenv(name, value)
    harm = Harm(fit_env, monkeypatch, tmp_path)
    with harm.on_leaving:
        yield harm


@pytest.mark.parametrize("code", ["no_scratch", "disk_full", "store_denied", "redis_unavailable"])
def test_tries_of_a_process_that_an_outage_ended_do_not_count(
    code: str, harm: Harm, redis_server: RedisProcess, store_folder: Path
) -> None:
    mend = getattr(harm, code)()

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as jobs:
            lane = Lane(jobs, store_folder)
            jobs.work("avatar", SupervisedFit(ChildLauncher(6000), redis_server.url))
            job = await lane.fit(b"no photo")
            assert (await lane.waits(job)).code == code
            mend()
            job = await jobs.ended(job)
            assert job.error is not None
            assert job.error.code == "not_an_image"
            assert job.attempts == {"avatar": 1}

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("command", "code"), [(FIT, "no_scratch"), (["sh", "-c", "exit 75"], "redis_unavailable")]
)
def test_tries_of_a_job_that_an_outage_ended_do_not_count(
    command: list[str],
    code: str,
    harm: Harm,
    redis_server: RedisProcess,
    store_folder: Path,
    cluster: FakeCluster,
    tmp_path: Path,
) -> None:
    harm.no_scratch()
    cluster.notices_s = 0.5

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as jobs:
            lane = Lane(jobs, store_folder)
            jobs.work("avatar", supervised(redis_server, template(tmp_path, command)))
            job = await lane.fit(b"no photo")
            # Each try is a new Job, though none counts.
            await lane.until(lambda: len(cluster.jobs) > 1)
            assert (await lane.waits(job)).code == code
            await jobs.jobs.cancel(job.id)
            job = await jobs.ended(job)
            assert job.status is JobStatus.CANCELLED
            assert job.attempts["avatar"] <= 1

    asyncio.run(scenario())
