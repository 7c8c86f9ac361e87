"""Alerts on what a running stage told whose work fails, and whose process dies."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lipstream.pipeline import JobKind
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.job import Job, JobStatus
from tests.integration.dummy_services import DUMMY_STAGES, quick_settings
from tests.ops.promtool import promtool
from tests.ops.scrapes import History, Page, check_alerts, check_panels, scrape, values

_LONG_S = 40.0
_STAGE = tuple(stage for stage in DUMMY_STAGES if stage.name == "avatar")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    promtool("--version")
    with pytest.MonkeyPatch.context() as patch:
        settings = quick_settings(patch, tmp_path_factory.mktemp("stack"))
        with LocalStack(settings, stages=_STAGE, gateway=None) as running:
            yield running


def test_work_that_fails_again_and_again(stack: LocalStack, tmp_path: Path) -> None:
    history = History()
    before = scrape(stack)
    assert _ended(stack, _begun(stack, "raise:some fault")) is JobStatus.FAILED
    history.play([before, scrape(stack)], times=30)
    check_alerts(tmp_path, history, "LipstreamDeadLetters", "LipstreamRetries")
    check_panels(tmp_path, history, only=("Tries to be done again", "Given up"))


def test_a_stage_whose_process_dies_in_the_middle_of_its_work(
    stack: LocalStack, tmp_path: Path
) -> None:
    """Each new process is seen before it takes the work over, and after."""
    pages = [scrape(stack)]
    job = _begun(stack, "work:60")
    for _ in range(3):
        _seen(stack, pages, "lipstream_in_flight", 1)
        pid = stack.pids["avatar"]
        os.kill(pid, signal.SIGKILL)
        while pid == stack.pids.get("avatar", pid):
            time.sleep(0.02)
        _seen(stack, pages, "lipstream_taken_over_total", 0)
        _seen(stack, pages, "lipstream_taken_over_total", 1)
    assert _ended(stack, job) is JobStatus.FAILED
    pages.append(scrape(stack))
    history = History()
    history.play(pages)
    check_alerts(tmp_path, history, "LipstreamDeadLetters", "LipstreamWorkersDie")


def test_work_that_is_done(stack: LocalStack, tmp_path: Path) -> None:
    before = scrape(stack)
    assert _ended(stack, _begun(stack, "ok")) is JobStatus.SUCCEEDED
    history = History()
    history.play([before, scrape(stack)], times=30)
    check_alerts(tmp_path, history)


def _begun(stack: LocalStack, action: str) -> Job:
    job = Job.new(JobKind.AVATAR, {"avatar": [action]})

    async def create() -> None:
        await JobStore(RedisLink(stack.redis_url)).create(job)

    asyncio.run(create())
    return job


def _ended(stack: LocalStack, job: Job) -> JobStatus:
    async def wait() -> JobStatus:
        jobs = JobStore(RedisLink(stack.redis_url))
        async with asyncio.timeout(_LONG_S):
            return [event.status async for event in jobs.events(job.id)][-1]

    return asyncio.run(wait())


def _seen(stack: LocalStack, pages: list[Page], name: str, value: float) -> None:
    """Keep the first page that tells this."""
    give_up_s = time.monotonic() + _LONG_S
    while values(page := scrape(stack), name) != {"avatar": value}:
        assert time.monotonic() < give_up_s
        time.sleep(0.02)
    pages.append(page)
