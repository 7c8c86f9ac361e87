"""The gateway: reads of a job's state at a steady rate, beside watchers of events.

`python -m loadtests.gateway [--json FILE] [--rate 500] [--seconds S] [--watchers 200]`

The gateway is kept on one core; Redis and idle workers run beside it. Requests begin when they are
due, whether or not the ones before have been answered, and their time counts from when they were
due. The first second is left out: the gateway opens its connections to Redis in it. What a request
costs in CPU is the figure that a busy machine does not spoil.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil

from lipstream.pipeline import JobKind
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.local_stack import STAGE_SERVICES, LocalStack
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.settings import Settings
from lipstream.wire.job import Job
from loadtests.http_client import Connection
from loadtests.manifest import Figure, Manifest, Value

_JOBS = 100
_START_S = 180.0
_COUNTED = 2000
"""Reads over which their cost is taken."""
_WATCHED_S = 8.0
_EVENT_S = 30.0


@dataclass
class _Run:
    times_s: list[float] = field(default_factory=list)
    """From when a request was due to its answer."""
    failed: int = 0
    wall_s: float = 0.0
    read_cpu_s: float = 0.0
    """Of the gateway for a read, while nobody watches."""
    watching_cpu_s: float = 0.0
    """Of the gateway in a second of watchers alone."""
    told: int = 0
    """Watchers that heard of what they waited for."""
    told_s: float = 0.0
    """Until the last of them had."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.gateway", description=__doc__)
    parser.add_argument("--rate", type=int, default=500, help="reads of a state a second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--watchers", type=int, default=200)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    # Without the first stage, jobs wait for ever: there is something to watch.
    stages = [service for service in STAGE_SERVICES if service.name != "audio"]
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack(Settings(data_dir=Path(folder)), stages=stages)
        stack.start(_START_S)
        try:
            gateway = psutil.Process(stack.pids["gateway"])
            gateway.cpu_affinity([max(gateway.cpu_affinity())])
            run = asyncio.run(_drive(stack, gateway, arguments))
            rss_mb = gateway.memory_info().rss / 1e6
        finally:
            stack.stop()
    settings: dict[str, Value] = {**vars(arguments), "json": None, "cores_of_gateway": 1}
    Manifest("gateway", settings).publish(_figures(run, rss_mb), arguments.json)


async def _drive(stack: LocalStack, gateway: psutil.Process, arguments: argparse.Namespace) -> _Run:
    link = RedisLink(stack.redis_url)
    jobs = JobStore(link)
    ids = [await _queued(jobs) for _ in range(_JOBS)]
    place = urlsplit(stack.url)
    assert place.hostname is not None
    assert place.port is not None
    address = (place.hostname, place.port)
    run = _Run()
    connections = [await Connection.open(*address) for _ in range(arguments.connections)]
    await _read(_Run(), connections, ids, arguments.rate, _COUNTED // 4)
    before_s = _cpu_s(gateway)
    await _read(_Run(), connections, ids, arguments.rate, _COUNTED)
    run.read_cpu_s = (_cpu_s(gateway) - before_s) / _COUNTED
    watchers = [
        asyncio.create_task(_watch(await Connection.open(*address), ids[0]))
        for _ in range(arguments.watchers)
    ]
    await asyncio.sleep(_WATCHED_S / 2)
    before_s = _cpu_s(gateway)
    await asyncio.sleep(_WATCHED_S)
    run.watching_cpu_s = (_cpu_s(gateway) - before_s) / _WATCHED_S
    # The server has closed the connections that were idle meanwhile.
    connections = [await Connection.open(*address) for _ in range(arguments.connections)]
    await _read(run, connections, ids, arguments.rate, round(arguments.rate * arguments.seconds))
    began_s = time.perf_counter()
    await jobs.cancel(ids[0])
    done, _ = await asyncio.wait(watchers, timeout=_EVENT_S)
    run.told_s = time.perf_counter() - began_s
    run.told = sum(1 for watcher in done if watcher.exception() is None)
    for connection in connections:
        connection.close()
    await link.close()
    return run


async def _queued(jobs: JobStore) -> str:
    job = Job.new(JobKind.VIDEO, {"avatar": "nobody", "text": "Hello.", "voice": "en-us"})
    await jobs.create(job)
    return job.id


async def _watch(connection: Connection, job_id: str) -> None:
    status, _ = await connection.begin(f"/v1/videos/{job_id}/events")
    assert status == 200, status
    await connection.read_until(b"event: cancelled")
    connection.close()


async def _read(
    run: _Run, connections: list[Connection], ids: list[str], rate: int, count: int
) -> None:
    """Each connection takes the next request that is due, when it is free."""
    due = iter(range(-rate, count))
    began_s = time.perf_counter() + 1.0

    async def work(connection: Connection) -> None:
        for number in due:
            due_s = began_s + number / rate
            if (wait_s := due_s - time.perf_counter()) > 0:
                await asyncio.sleep(wait_s)
            status, _ = await connection.get(f"/v1/videos/{random.choice(ids)}")
            run.failed += status != 200
            if number >= 0:
                run.times_s.append(time.perf_counter() - due_s)

    await asyncio.gather(*map(work, connections))
    run.wall_s = time.perf_counter() - began_s


def _figures(run: _Run, rss_mb: float) -> list[Figure]:
    times_ms = 1e3 * np.array(run.times_s)
    cost_ms = 1e3 * run.read_cpu_s
    return [
        Figure("status_rps", len(run.times_s) / run.wall_s, goal=">= 500"),
        Figure("status_p50_ms", float(np.median(times_ms))),
        Figure("status_p99_ms", float(np.percentile(times_ms, 99)), goal="< 50"),
        Figure("failed", run.failed, goal="0"),
        Figure("cpu_ms_per_read", cost_ms, goal="< 2"),
        Figure("rps_of_one_core", (1 - run.watching_cpu_s) * 1e3 / cost_ms, goal="> 500"),
        Figure("core_of_watchers", run.watching_cpu_s),
        Figure("sse_watchers", run.told, goal=">= 200"),
        Figure("last_watcher_told_ms", 1e3 * run.told_s),
        Figure("gateway_rss_mb", rss_mb),
    ]


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
