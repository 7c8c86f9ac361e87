"""The render stage as a service."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.render.job import RenderJob
from lipstream.render.live import LiveRender
from lipstream.render.warmup import warm_up
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.compute import ComputePool
from lipstream.runtime.live_lane import LiveLane
from lipstream.runtime.stage_main import StageApp, StageKit
from lipstream.runtime.telemetry import Telemetry
from lipstream.v1 import render_pb2, render_pb2_grpc

__all__ = ["RenderServicer", "build"]


class RenderServicer(render_pb2_grpc.RenderServiceServicer):
    def __init__(self, shelf: AvatarShelf, compute: ComputePool, telemetry: Telemetry) -> None:
        self._shelf = shelf
        self._compute = compute
        self._telemetry = telemetry
        self._warm = False

    async def Render(
        self,
        requests: AsyncIterator[render_pb2.RenderRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[render_pb2.RenderResponse]:
        began_s = time.perf_counter()
        lane: LiveLane[render_pb2.RenderRequest, render_pb2.RenderResponse] = LiveLane(
            self._compute, lambda first: LiveRender(self._shelf, first)
        )
        first = True
        async for response in lane.run(requests):
            if response.HasField("frame"):
                self._telemetry.frames("live")
                if first:
                    self._telemetry.first_frame(time.perf_counter() - began_s, warm=self._warm)
                    self._warm, first = True, False
            yield response


def build(kit: StageKit) -> StageApp:
    """The stage from its settings."""
    shelf = AvatarShelf(AvatarLibrary(kit.store))
    servicer = RenderServicer(shelf, kit.compute, kit.telemetry)
    return StageApp(
        handle=RenderJob(shelf, kit.telemetry),
        register=lambda server: render_pb2_grpc.add_RenderServiceServicer_to_server(
            servicer, server
        ),
        services=("lipstream.v1.RenderService",),
        warm_up=warm_up,
    )
