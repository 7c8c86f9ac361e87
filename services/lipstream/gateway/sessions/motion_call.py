"""The motion stage's part in a session: features of sound in, frames of motion out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from lipstream.face.controls_message import pack_controls
from lipstream.face.face_controls import FaceControls
from lipstream.gateway.sessions.motion_frame import MotionFrame, frames_of
from lipstream.gateway.sessions.options import SessionOptions
from lipstream.gateway.sessions.stage_calls import Stages
from lipstream.gateway.sessions.steady_call import StageState, SteadyCall
from lipstream.gateway.sessions.timeline import FRAME_US
from lipstream.v1 import audio_pb2, common_pb2, motion_pb2

__all__ = ["MotionCall"]

_FEATURE_US = 20_000


class MotionCall:
    """Unbroken through interrupts. All times are microseconds of the stages' time.

    Args:
        header: of a message, by its time.
        state: to go on from.
    """

    def __init__(
        self,
        stages: Stages,
        options: SessionOptions,
        header: Callable[[int], common_pb2.LiveHeader],
        state: StageState,
    ) -> None:
        seed, style, controls = options.seed, options.style, options.controls
        self._call = SteadyCall(
            lambda state: stages.generate(header(0), seed, style, controls, state), state
        )
        self._header = header
        self._answers = self._call.messages()
        self._next_feature_us = state.input_us
        self.look_ahead_us = 0
        """How much sound after its own beginning a frame waits for."""

    @property
    def state(self) -> StageState:
        """What the stage said of itself last."""
        return self._call.state

    async def open(self) -> tuple[str, ...]:
        """Returns the names of the blendshapes.

        Raises:
            LipstreamError: the stage is away, full, or refuses.
        """
        await self._call.open()
        ready = (await anext(self._answers)).ready
        self.look_ahead_us = 1000 * ready.look_ahead_ms
        return tuple(ready.blendshape_names)

    async def hear(self, pts_us: int, features: audio_pb2.Features) -> None:
        self._next_feature_us = pts_us + features.values.shape[0] * _FEATURE_US
        await self._call.write(
            motion_pb2.GenerateRequest(
                header=self._header(pts_us),
                features=features.values,
                encoder=features.encoder,
            )
        )

    async def direct(self, controls: FaceControls) -> None:
        """Ask something else of the face."""
        # Of the time of what follows: a state that holds what came before may lack the controls.
        header = self._header(self._next_feature_us)
        message = motion_pb2.GenerateRequest(header=header, controls=pack_controls(controls))
        await self._call.write(message)

    async def frames(self) -> AsyncGenerator[list[MotionFrame], None]:
        """
        Raises:
            LipstreamError: the stage refuses what it was sent, or stays away.
        """
        async for message in self._answers:
            # A message without frames has an empty list.
            if frames := list(frames_of(message.frames, message.header.pts_us, FRAME_US)):
                yield frames

    def cancel(self) -> None:
        """End the call."""
        self._call.cancel()
