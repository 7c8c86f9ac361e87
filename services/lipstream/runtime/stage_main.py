"""The process of a stage: its gRPC server, its worker, its probes, and how it ends.

A stage's `__main__` is one line: `run_stage("audio", build)`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import uvloop

from lipstream.errors import LipstreamError
from lipstream.pipeline import Stage, stage_named
from lipstream.runtime.announcer import Announcer, advertised_address
from lipstream.runtime.batch_watch import watch_batches
from lipstream.runtime.compute import ComputePool
from lipstream.runtime.garbage import keep_what_stands
from lipstream.runtime.grpc_server import GrpcServer, Register
from lipstream.runtime.job_context import Handler
from lipstream.runtime.live_capacity import live_capacity
from lipstream.runtime.live_seats import LiveSeats
from lipstream.runtime.logs import bound, configure_logs
from lipstream.runtime.object_store import ObjectStore, open_store
from lipstream.runtime.probes import ProbeServer
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.settings import Settings, load_settings
from lipstream.runtime.stream_worker import HandlerStuck, StreamWorker
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.tls import TlsFiles
from lipstream.runtime.tracing import tracing
from lipstream.runtime.worker_options import WorkerOptions

__all__ = ["StageApp", "StageKit", "run_stage"]

logger = logging.getLogger(__name__)

_EXIT_SOFTWARE = 70
_EXIT_CONFIG = 78


@dataclass(frozen=True, slots=True)
class StageKit:
    """What a stage builds itself from."""

    settings: Settings
    telemetry: Telemetry
    store: ObjectStore
    compute: ComputePool


@dataclass(frozen=True, slots=True)
class StageApp:
    """What a stage is: its work on jobs and its gRPC service."""

    handle: Handler
    register: Register
    services: tuple[str, ...]
    """Full names, such as `lipstream.v1.AudioService`."""
    warm_up: Callable[[], None] | None = None
    """Runs in a thread before the stage takes work; the first job should not pay for it."""
    live_cost: Callable[[], float] | None = None
    """Measures the cores that one live stream keeps busy, in a thread, before the stage takes work.
    A stage without takes no live streams."""


def run_stage(name: str, build: Callable[[StageKit], StageApp]) -> NoReturn:
    """Run a stage until SIGTERM or SIGINT, then end the process.

    Exits with 0 after a clean end, 70 when a handler could not be stopped or the stage failed,
    78 when the settings are wrong.
    """
    try:
        settings = load_settings()
        configure_logs(name, settings.log_level)
        with tracing(name):
            code = uvloop.run(_Process(stage_named(name), settings, build).run())
    except LipstreamError as error:
        print(f"lipstream.{name}: {error}", file=sys.stderr)
        code = _EXIT_CONFIG
    except KeyboardInterrupt:
        code = 0
    logging.shutdown()
    sys.stderr.flush()
    # Not sys.exit: threads that compute for nobody any more must not hold the process.
    os._exit(code)


class _Process:
    def __init__(
        self, stage: Stage, settings: Settings, build: Callable[[StageKit], StageApp]
    ) -> None:
        self._stage = stage
        self._settings = settings
        self._build = build
        self._telemetry = Telemetry(stage.name)
        self._worker: StreamWorker | None = None
        self._stuck = False

    async def run(self) -> int:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        with bound(stage=self._stage.name), watch_batches(self._telemetry.batch_done):
            probes = ProbeServer(
                self._telemetry,
                alive=lambda: not self._stuck,
                ready=self._ready,
                host=self._settings.host,
                port=self._settings.metrics_port,
            )
            probes.start()
            compute = ComputePool(max(2, os.cpu_count() or 2))
            link = RedisLink(self._settings.redis, patience_s=math.inf)
            try:
                return await self._serve(stopping, probes, compute, link)
            finally:
                compute.close()
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(link.close(), 1.0)
                probes.close()

    async def _serve(
        self, stopping: asyncio.Event, probes: ProbeServer, compute: ComputePool, link: RedisLink
    ) -> int:
        settings = self._settings
        store = await asyncio.to_thread(open_store, settings.store_url)
        kit = StageKit(settings, self._telemetry, store, compute)
        app = await asyncio.to_thread(self._build, kit)
        if app.warm_up is not None:
            await asyncio.to_thread(app.warm_up)
        seats: LiveSeats | None = None
        if app.live_cost is not None:
            capacity = await asyncio.to_thread(live_capacity, settings, app.live_cost)
            seats = LiveSeats(capacity, self._telemetry)
        server = GrpcServer(
            app.register,
            app.services,
            telemetry=self._telemetry,
            host=settings.host,
            port=settings.grpc_port_of(self._stage.name),
            max_message_bytes=settings.max_message_bytes,
            max_calls=settings.max_streams,
            seats=seats,
            tls=TlsFiles.of(settings),
        )
        port = await server.start()
        self._worker = StreamWorker(
            self._stage,
            app.handle,
            link=link,
            store=store,
            telemetry=self._telemetry,
            options=_worker_options(settings),
        )
        keep_what_stands()
        logger.info("serving", extra={"grpc_port": port, "metrics_port": probes.port})
        announcing: asyncio.Task[None] | None = None
        if seats is not None:
            address = advertised_address(settings, port)
            announcer = Announcer(link, self._stage.name, address, seats)
            announcing = asyncio.create_task(announcer.run())
        try:
            await self._until_stopped(stopping, server, self._worker, seats)
        except HandlerStuck as error:
            self._stuck = True
            logger.critical("%s Ending the process.", error)
            await server.stop(0.0)
            return _EXIT_SOFTWARE
        finally:
            if announcing is not None:
                announcing.cancel()
                await asyncio.gather(announcing, return_exceptions=True)
        logger.info("stopped")
        return 0

    async def _until_stopped(
        self,
        stopping: asyncio.Event,
        server: GrpcServer,
        worker: StreamWorker,
        seats: LiveSeats | None,
    ) -> None:
        async def live() -> None:
            await stopping.wait()
            if seats is not None:
                seats.drain()
            await server.stop(self._settings.drain_s)

        serving = asyncio.create_task(live())
        try:
            await worker.run(stopping)
            await serving
        finally:
            serving.cancel()

    def _ready(self) -> bool:
        ready = self._worker is not None and self._worker.ready and not self._stuck
        self._telemetry.ready(ready)
        if self._worker is not None:
            self._telemetry.redis_up(self._worker.reaches_redis)
        return ready


def _worker_options(settings: Settings) -> WorkerOptions:
    return WorkerOptions(
        concurrency=settings.worker_concurrency,
        heartbeat_s=settings.heartbeat_s,
        claim_idle_s=settings.claim_idle_s,
        retry_base_s=settings.retry_base_s,
        outage_limit_s=settings.outage_limit_s,
        drain_s=settings.drain_s,
        job_ttl_s=settings.job_ttl_s,
        scratch_dir=settings.data_dir.absolute() / "scratch",
    )
