"""The motion stage as a service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any

import grpc.aio
import numpy as np

from lipstream.face.motion import Floats
from lipstream.inference.joined import JoinedSteps, Step
from lipstream.inference.live_cost import live_cost
from lipstream.motion.generator import MotionGenerator
from lipstream.motion.generators import open_generator
from lipstream.motion.job import MotionJob
from lipstream.motion.live import LiveMotion
from lipstream.runtime.live_lane import LiveLane
from lipstream.runtime.stage_main import StageApp, StageKit
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.turns import Turns
from lipstream.v1 import motion_pb2, motion_pb2_grpc

__all__ = ["MotionServicer", "build"]

_FEATURE_RATE_HZ = 50
_PIECE_ROWS = 2
"""That a live stream brings at a time."""


class MotionServicer(motion_pb2_grpc.MotionServiceServicer):
    def __init__(self, generator: MotionGenerator[Any], telemetry: Telemetry) -> None:
        self._generator = generator
        self._turns: Turns[Step[Floats, Any]] = Turns(JoinedSteps(generator), name="motion-steps")
        self._telemetry = telemetry
        self._faulty = partial(telemetry.non_finite, "live")

    async def Generate(
        self,
        requests: AsyncIterator[motion_pb2.GenerateRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[motion_pb2.GenerateResponse]:
        lane: LiveLane[motion_pb2.GenerateRequest, motion_pb2.GenerateResponse] = LiveLane(
            self._turns,
            lambda first: LiveMotion(self._generator, first, self._faulty),
            self._telemetry.step_done,
        )
        async with aclosing(lane.run(requests)) as responses:
            async for response in responses:
                if response.HasField("frames"):
                    self._telemetry.frames("live", len(response.frames.gaze) // 16)
                yield response


def build(kit: StageKit) -> StageApp:
    """The stage from its settings."""
    generator = open_generator(kit.settings.generator)
    servicer = MotionServicer(generator, kit.telemetry)
    return StageApp(
        handle=MotionJob(generator, kit.telemetry),
        register=lambda server: motion_pb2_grpc.add_MotionServiceServicer_to_server(
            servicer, server
        ),
        services=("lipstream.v1.MotionService",),
        live_cost=partial(_live_cost, generator),
    )


def _live_cost(generator: MotionGenerator[Any]) -> float:
    rows = np.random.default_rng(0).normal(0, 1, (_PIECE_ROWS, generator.feature_count))
    media_s = _PIECE_ROWS / _FEATURE_RATE_HZ
    return live_cost(generator, rows.astype(np.float32), generator.initial_state, media_s)
