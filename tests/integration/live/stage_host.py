"""The stages' own gRPC servers in this process, wired as `python -m lipstream.<stage>` does it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc

from lipstream.runtime.compute import ComputePool
from lipstream.runtime.grpc_server import GrpcServer
from lipstream.runtime.object_store import ObjectStore, open_store
from lipstream.runtime.settings import Settings
from lipstream.runtime.stage_main import StageApp, StageKit
from lipstream.runtime.telemetry import Telemetry

__all__ = ["MAX_CALLS", "StageHost"]

MAX_CALLS = 8
"""That each server takes at once."""

T = TypeVar("T")

_OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0))


class StageHost:
    """
    Args:
        objects: folder of the object store.
    """

    def __init__(self, objects: Path) -> None:
        self._settings = Settings(store=str(objects), data_dir=objects.parent)
        self.store: ObjectStore = open_store(self._settings.store_url)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stages")
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    def start(self, name: str, build: Callable[[StageKit], StageApp]) -> grpc.Channel:
        """Serve a stage; return a channel to it."""
        telemetry = Telemetry(name)
        compute = ComputePool(2)
        app = build(StageKit(self._settings, telemetry, self.store, compute))
        if app.warm_up is not None:
            app.warm_up()
        server = GrpcServer(app.register, app.services, telemetry=telemetry, max_calls=MAX_CALLS)
        port = self._run(server.start())
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", _OPTIONS)
        self._ends.callback(compute.close)
        self._ends.callback(lambda: self._run(server.stop(0.0)))
        self._ends.callback(channel.close)
        return channel

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)
