"""A local stack of real processes: it starts, heals, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from lipstream.errors import BadInput, Conflict, LipstreamError, Unavailable
from lipstream.pipeline import JobKind
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.local_stack import LocalStack, PythonService
from lipstream.runtime.object_store import ObjectStore, open_store
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.settings import Settings
from lipstream.wire.job import Job, JobStatus
from tests.integration.dummy_services import DUMMY_STAGES, quick_settings

_LONG_S = 40.0
AVATAR_STAGE = tuple(stage for stage in DUMMY_STAGES if stage.name == "avatar")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    return quick_settings(monkeypatch, tmp_path / "data")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """For tests that leave it whole; what they kill is started again."""
    with pytest.MonkeyPatch.context() as patch:
        settings = quick_settings(patch, tmp_path_factory.mktemp("stack"))
        with LocalStack(settings, stages=DUMMY_STAGES, gateway=None) as running:
            yield running


def create(stack: LocalStack, kind: JobKind, **params: object) -> Job:
    job = Job.new(kind, params)

    async def run() -> None:
        await JobStore(RedisLink(stack.redis_url)).create(job)

    asyncio.run(run())
    return job


def ended(stack: LocalStack, job: Job) -> Job:
    async def run() -> Job:
        jobs = JobStore(RedisLink(stack.redis_url, patience_s=20.0))
        async with asyncio.timeout(_LONG_S):
            statuses = [event.status async for event in jobs.events(job.id)]
        assert [status.finished for status in statuses].count(True) == 1
        return await jobs.get(job.id)

    return asyncio.run(run())


def until(condition: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + _LONG_S
    while not condition():
        assert time.monotonic() < give_up_s, "waited in vain"
        time.sleep(0.02)


def traces(store: ObjectStore, job: Job) -> list[str]:
    marks = store.list(f"jobs/{job.id}/trace")
    return sorted("-".join(m.key.rpartition("/")[2].split("-")[:2]) for m in marks)


def test_a_killed_stage_is_started_again_and_its_job_completes_once(stack: LocalStack) -> None:
    store = open_store(stack.store_url)
    job = create(stack, JobKind.VIDEO, motion=["work:60", "ok"], render=["die", "ok"])
    until(lambda: "motion-1" in traces(store, job))
    before, restarts = stack.pids["motion"], stack.restarts
    os.kill(before, signal.SIGKILL)
    done = ended(stack, job)
    assert done.status is JobStatus.SUCCEEDED
    assert done.attempts == {"audio": 1, "motion": 2, "render": 2}
    assert store.get(done.outputs["video"]) == f"{job.id} render".encode()
    assert stack.pids["motion"] != before
    assert stack.restarts["motion"] == restarts["motion"] + 1
    assert stack.restarts["audio"] == restarts["audio"]


def test_a_job_that_kills_every_worker_fails_and_the_next_is_served(stack: LocalStack) -> None:
    job = create(stack, JobKind.AVATAR, avatar=["die"])
    following = create(stack, JobKind.AVATAR)
    failed = ended(stack, job)
    assert failed.status is JobStatus.FAILED
    assert failed.error is not None
    assert failed.error.code == "worker_died"
    assert "3 times" in failed.error.detail
    assert ended(stack, following).status is JobStatus.SUCCEEDED


def test_redis_killed_in_mid_job_loses_nothing(stack: LocalStack) -> None:
    store = open_store(stack.store_url)
    job = create(stack, JobKind.VIDEO, audio=["work:1.0"])
    queued = create(stack, JobKind.VIDEO)
    until(lambda: "audio-1" in traces(store, job))
    restarts = stack.restarts["redis"]
    os.kill(stack.pids["redis"], signal.SIGKILL)
    assert ended(stack, job).status is JobStatus.SUCCEEDED
    assert ended(stack, queued).status is JobStatus.SUCCEEDED
    assert stack.restarts["redis"] == restarts + 1


def test_probes_and_metrics_answer(stack: LocalStack) -> None:
    url = stack.metrics_urls["avatar"]

    def text() -> str:
        return str(urllib.request.urlopen(url + "/metrics").read().decode())

    def done() -> float:
        counts = re.findall(r'lipstream_work_total{outcome="done",service="avatar"} (\S+)', text())
        return sum(map(float, counts))

    before = done()
    ended(stack, create(stack, JobKind.AVATAR))
    for path in ("/healthz", "/readyz"):
        assert urllib.request.urlopen(url + path).read() == b"ok\n"
    until(lambda: done() == before + 1)
    shown = text()
    assert 'lipstream_ready{service="avatar"} 1.0' in shown
    assert 'lipstream_live_streams{service="avatar"} 0.0' in shown
    assert 'lipstream_live_capacity{service="avatar"}' in shown
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(url + "/other")


def test_unfinished_jobs_go_on_in_the_next_stack(settings: Settings) -> None:
    with LocalStack(settings, stages=AVATAR_STAGE, gateway=None) as first:
        job = create(first, JobKind.AVATAR, avatar=["work:60", "ok"])
        store = open_store(first.store_url)
        until(lambda: traces(store, job) == ["avatar-1"])
        pids = list(first.pids.values())
    assert not any(psutil.pid_exists(pid) for pid in pids)
    with LocalStack(settings, stages=AVATAR_STAGE, gateway=None) as second:
        # What was handed back does not count as a try, so the dummy would work for a minute again.
        until(lambda: len(traces(store, job)) == 2)
        os.kill(second.pids["avatar"], signal.SIGKILL)
        assert ended(second, job).status is JobStatus.SUCCEEDED


def test_one_folder_serves_one_stack(stack: LocalStack) -> None:
    with pytest.raises(Conflict, match="Another stack runs"):
        LocalStack(Settings(data_dir=stack.data_dir), stages=(), gateway=None).start()
    assert len(stack.pids) == 1 + len(DUMMY_STAGES)


def test_a_service_that_cannot_start_is_named_with_its_last_words(settings: Settings) -> None:
    broken = PythonService("broken", "tests.integration.no_such_module")
    stack = LocalStack(settings, stages=(*DUMMY_STAGES[:1], broken), gateway=None)
    with pytest.raises(Unavailable, match=r"broken ended with code 1 .*No module named"):
        stack.start()
    assert stack.pids == {}


def test_wrong_settings_are_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPSTREAM_MAX_STREAMS", "many")
    stack = LocalStack(settings, stages=DUMMY_STAGES[:1], gateway=None)
    with pytest.raises(Unavailable, match="LIPSTREAM_MAX_STREAMS"):
        stack.start()


@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        ("redis://127.0.0.1:1/0", Unavailable, "127.0.0.1:1.*correct LIPSTREAM_REDIS"),
        ("nonsense", BadInput, "no Redis URL"),
    ],
)
def test_a_redis_that_is_not_there_is_named_at_once(
    settings: Settings, url: str, kind: type[LipstreamError], said: str
) -> None:
    elsewhere = Settings(data_dir=settings.data_dir, redis=url)
    with pytest.raises(kind, match=said):
        LocalStack(elsewhere, stages=DUMMY_STAGES, gateway=None).start()


def test_processes_cannot_share_memory_objects(settings: Settings) -> None:
    with pytest.raises(BadInput, match="memory://"):
        LocalStack(settings.model_copy(update={"store": "memory://"}))
    with pytest.raises(BadInput, match="LIPSTREAM_TLS_CERT"):
        LocalStack(settings.model_copy(update={"tls_ca": Path("/not/there.pem")}))


_HOLDER = """
import signal, time
from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.settings import load_settings
from tests.integration.dummy_services import DUMMY_STAGES
AVATAR_STAGE = [stage for stage in DUMMY_STAGES if stage.name == "avatar"]
# A test run in the background of a shell ignores SIGINT, and its children with it.
signal.signal(signal.SIGINT, signal.default_int_handler)
with LocalStack(load_settings(), stages=AVATAR_STAGE, gateway=None) as stack:
    print(*stack.pids.values(), flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_the_supervisor(settings: Settings, how: signal.Signals) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert holder.stdout is not None
    pids = [int(pid) for pid in holder.stdout.readline().split()]
    assert len(pids) == 1 + len(AVATAR_STAGE)
    holder.send_signal(how)
    holder.wait(20)
    holder.stdout.close()
    until(lambda: not any(_alive(pid) for pid in pids))


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
