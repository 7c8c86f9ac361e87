"""A stage that does what its jobs say: `python -m tests.integration.dummy_stage NAME`.

A job's parameter of the stage's name lists one action for each try; the last one repeats.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from lipstream.errors import BadInput
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.stage_main import StageApp, StageKit, run_stage
from lipstream.v1 import motion_pb2, motion_pb2_grpc

__all__ = ["handle"]


def handle(context: JobContext) -> None:
    actions: list[str] = context.params.get(context.stage.name, ["ok"])
    action, _, argument = actions[min(context.attempt, len(actions)) - 1].partition(":")
    mark = f"trace/{context.stage.name}-{context.attempt}-{os.getpid()}-{time.monotonic_ns()}"
    context.store.put(mark, b"")
    if action == "work":
        steps = round(float(argument) / 0.02)
        for step in range(steps):
            time.sleep(0.02)
            context.progress(step / steps)
    elif action == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "raise":
        raise ValueError(argument)
    elif action == "refuse":
        raise BadInput(argument, remedy="Send another.", code="poison")
    elif action == "hang":
        time.sleep(float(argument))
    for name in context.stage.outputs:
        context.store.put(name, f"{context.job.id} {context.stage.name}".encode())
    context.result(f"{context.stage.name}_attempt", context.attempt)


class DummyMotion(motion_pb2_grpc.MotionServiceServicer):
    """Echoes headers; the session's name says how to fail."""

    def __init__(self, kit: StageKit) -> None:
        self._kit = kit

    async def Generate(
        self,
        request_iterator: AsyncIterator[motion_pb2.GenerateRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[motion_pb2.GenerateResponse]:
        async for request in request_iterator:
            name = request.header.session_id
            if name == "refuse":
                raise BadInput("Köpfe fehlen.", remedy="Add one.", code="no_heads")
            if name == "fault":
                await self._kit.compute.run(_fault)
            yield motion_pb2.GenerateResponse(header=request.header)


def _fault() -> None:
    raise RuntimeError("secret detail")


def build(kit: StageKit) -> StageApp:
    return StageApp(
        handle=handle,
        register=lambda server: motion_pb2_grpc.add_MotionServiceServicer_to_server(
            DummyMotion(kit), server
        ),
        services=("lipstream.v1.MotionService",),
        live_cost=lambda: 0.1,
    )


if __name__ == "__main__":
    run_stage(sys.argv[1], build)
