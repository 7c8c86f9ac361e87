"""The render stage as a service."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import grpc.aio

from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.render.clip import open_clip
from lipstream.render.job import RenderJob
from lipstream.render.live import LiveRender
from lipstream.render.warmup import warm_up
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.compute import ComputePool
from lipstream.runtime.live_lane import LiveLane
from lipstream.runtime.object_store import ObjectStore
from lipstream.runtime.stage_main import StageApp, StageKit
from lipstream.runtime.telemetry import Telemetry
from lipstream.v1 import render_pb2, render_pb2_grpc

__all__ = ["RenderServicer", "build"]


class RenderServicer(render_pb2_grpc.RenderServiceServicer):
    def __init__(
        self,
        shelf: AvatarShelf,
        store: ObjectStore,
        compute: ComputePool,
        telemetry: Telemetry,
    ) -> None:
        self._shelf = shelf
        self._store = store
        self._compute = compute
        self._telemetry = telemetry

    async def Render(
        self,
        requests: AsyncIterator[render_pb2.RenderRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[render_pb2.RenderResponse]:
        began_s: float | None = None

        def start(first: render_pb2.RenderRequest) -> LiveRender:
            nonlocal began_s
            began_s = time.perf_counter()
            return LiveRender(self._shelf, first)

        lane: LiveLane[render_pb2.RenderRequest, render_pb2.RenderResponse] = LiveLane(
            self._compute, start, self._telemetry.step_done
        )
        async with aclosing(lane.run(requests)) as responses:
            async for response in responses:
                if response.HasField("frame"):
                    self._telemetry.frames("live")
                    if began_s is not None:
                        duration_s = time.perf_counter() - began_s
                        self._telemetry.first_frame("live", duration_s)
                        began_s = None
                yield response

    async def Inspect(
        self,
        request: render_pb2.InspectBackgroundRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> render_pb2.InspectBackgroundResponse:
        moves = await self._compute.run(self._moves, request.background_key)
        return render_pb2.InspectBackgroundResponse(moves=moves)

    def _moves(self, key: str) -> bool:
        with tempfile.TemporaryDirectory(prefix="lipstream-background-") as folder:
            path = Path(folder) / "background"
            self._store.get_file(key, path)
            return open_clip(path, "The background").moves


def build(kit: StageKit) -> StageApp:
    """The stage from its settings."""
    shelf = AvatarShelf(AvatarLibrary(kit.store))
    servicer = RenderServicer(shelf, kit.store, kit.compute, kit.telemetry)
    return StageApp(
        handle=RenderJob(shelf, kit.telemetry),
        register=lambda server: render_pb2_grpc.add_RenderServiceServicer_to_server(
            servicer, server
        ),
        services=("lipstream.v1.RenderService",),
        warm_up=warm_up,
    )
