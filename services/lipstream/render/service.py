"""The render stage as a service."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import grpc.aio

from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.render.badge import badge_picture
from lipstream.render.device import draw_on
from lipstream.render.gate import moves_bounded
from lipstream.render.job import RenderJob
from lipstream.render.live import LiveRender
from lipstream.render.live_cost import live_cost
from lipstream.render.provenance import ContentSigner
from lipstream.render.warmup import warm_up
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.bounded import BoundedCalls
from lipstream.runtime.compute import ComputePool
from lipstream.runtime.live_lane import LiveLane
from lipstream.runtime.object_store import ObjectStore
from lipstream.runtime.stage_main import StageApp, StageKit
from lipstream.runtime.telemetry import Telemetry
from lipstream.v1 import render_pb2, render_pb2_grpc
from lipstream.wire.output import PictureSize

__all__ = ["RenderServicer", "build"]

_THREADS_TO_GPU = 32
"""Threads of one film: they mostly wait for the frames that the GPU draws together."""


class RenderServicer(render_pb2_grpc.RenderServiceServicer):
    def __init__(
        self,
        shelf: AvatarShelf,
        store: ObjectStore,
        compute: ComputePool,
        telemetry: Telemetry,
        *,
        badge: str = "",
        hardware: bool = False,
    ) -> None:
        self._shelf = shelf
        self._badge = badge
        self._hardware = hardware  # encodes where it can
        self._store = store
        self._compute = compute
        self._decoder = BoundedCalls()
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
            return LiveRender(self._shelf, first, badge=self._badge, hardware=self._hardware)

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
            return moves_bounded(self._decoder, path)


def build(kit: StageKit) -> StageApp:
    """The stage from its settings.

    Raises:
        Unavailable: it is to draw on a GPU, and there is none, or the extra is missing.
    """
    on_gpu = kit.settings.render_device != "cpu"
    draw_on(kit.settings.render_device)
    shelf = AvatarShelf(AvatarLibrary(kit.store))
    badge = kit.settings.badge
    if badge:  # one that cannot be drawn ends the process now
        badge_picture(badge, PictureSize.of(512))
    servicer = RenderServicer(
        shelf, kit.store, kit.compute, kit.telemetry, badge=badge, hardware=on_gpu
    )
    threads = _THREADS_TO_GPU if on_gpu else min(os.cpu_count() or 1, 8)
    return StageApp(
        handle=RenderJob(
            shelf,
            kit.telemetry,
            threads,
            badge=kit.settings.badge,
            signer=ContentSigner.of(kit.settings),
        ),
        register=lambda server: render_pb2_grpc.add_RenderServiceServicer_to_server(
            servicer, server
        ),
        services=("lipstream.v1.RenderService",),
        warm_up=warm_up,
        live_cost=live_cost,
    )
