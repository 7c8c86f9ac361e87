"""The motion stage's work on a live stream: features in, frames out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Any, Generic, TypeAlias

from lipstream.errors import BadInput
from lipstream.face.arkit import BLENDSHAPES
from lipstream.face.controls_message import unpack_controls
from lipstream.face.face_controls import FaceControls
from lipstream.face.motion import Motion
from lipstream.inference import EncoderIdentity, FaultWatch
from lipstream.inference.joined import Step
from lipstream.motion.generator import MotionGenerator, StateT
from lipstream.motion.live_state import LiveMotionState
from lipstream.motion.talker_style import checked_style
from lipstream.v1 import common_pb2, motion_pb2
from lipstream.wire.tensors import Floats, pack_motion, unpack_tensor

__all__ = ["LiveMotion"]

_STEP_FEATURES = 50

Work: TypeAlias = Generator[motion_pb2.GenerateResponse | Step[Floats, Any], Any, None]


class LiveMotion(Generic[StateT]):
    """One stream; see `runtime.live_lane.LiveStage`.

    A step takes at most a second of features, which is computed in a few milliseconds.

    Args:
        faulty: gets the number of frames for which the generator's network gave none.
    """

    def __init__(
        self,
        generator: MotionGenerator[StateT],
        first: motion_pb2.GenerateRequest,
        faulty: Callable[[int], None] = lambda count: None,
    ) -> None:
        config = first.config
        self._generator = generator
        self._session_id = first.header.session_id
        self._faults = FaultWatch(faulty, session_id=self._session_id)
        self._seed = config.seed
        self._style = checked_style(config.style, generator.style_width) if config.style else None
        self._controls = unpack_controls(config.controls)
        self._heard_from: common_pb2.Encoder | None = None
        self._interval_us = config.snapshot_interval_ms * 1000
        self.begin(first.header.epoch)
        if config.resume_state:
            state = self._go_on_from(LiveMotionState.decode(config.resume_state, generator))
            if config.HasField("controls"):
                self._direct(self._controls)
            else:
                self._controls = state.motion.controls

    def begin(self, epoch: int) -> None:
        self._state: LiveMotionState[StateT] | None = None
        self._saved_us = 0

    def handle(self, request: motion_pb2.GenerateRequest) -> Work:
        header = request.header
        match request.WhichOneof("payload"):
            case "config":
                yield self._response(header.epoch, header.pts_us, ready=self._ready())
            case "features":
                self._check_encoder(request)
                rows = unpack_tensor(request.features, self._generator.feature_count)
                for start in range(0, len(rows), _STEP_FEATURES):
                    yield from self._hear(rows[start : start + _STEP_FEATURES], header)
            case "controls":
                self._direct(unpack_controls(request.controls))
            case "end":
                state = self._begun(header)
                with self._faults.watch():
                    rest = self._generator.finish(state.motion)
                yield from self._frames(rest, state, header.epoch)
                yield self._response(
                    header.epoch, self._begun(header).output_us, end=common_pb2.EndOfUtterance()
                )
            case other:
                raise BadInput(f"A motion stream takes no {other or 'empty message'}.")

    def interrupted(self, request: motion_pb2.GenerateRequest) -> motion_pb2.GenerateResponse:
        return motion_pb2.GenerateResponse(header=request.header, interrupt=common_pb2.Interrupt())

    def _direct(self, controls: FaceControls) -> None:
        self._controls = controls
        if self._state is not None:
            moved = self._state.motion.directed(controls, self._generator.fps)
            self._state = replace(self._state, motion=moved)

    def _check_encoder(self, request: motion_pb2.GenerateRequest) -> None:
        """
        Raises:
            BadInput: the generator was not trained on what these features come from.
        """
        if not request.HasField("encoder") or request.encoder == self._heard_from:
            return
        named = request.encoder
        layer = named.layer if named.HasField("layer") else None
        self._generator.encoder.require(
            EncoderIdentity(named.kind, named.width, named.digest, layer)
        )
        self._heard_from = named

    def _hear(
        self,
        rows: Floats,  # [T, D]
        header: common_pb2.LiveHeader,
    ) -> Work:
        state = self._begun(header)
        motion, after = yield Step(rows, state.motion, self._faults)
        state = replace(state, motion=after, heard=state.heard + len(rows))
        yield from self._frames(motion, state, header.epoch)
        yield from self._snapshot(header)

    def _frames(
        self, motion: Motion, state: LiveMotionState[StateT], epoch: int
    ) -> Iterator[motion_pb2.GenerateResponse]:
        self._state = replace(state, frames=state.frames + len(motion))
        if len(motion):
            arrays = (motion.blendshapes, motion.rotation, motion.translation, motion.gaze)
            yield self._response(epoch, state.output_us, frames=pack_motion(*arrays))

    def _snapshot(self, header: common_pb2.LiveHeader) -> Iterator[motion_pb2.GenerateResponse]:
        state = self._begun(header)
        if not self._interval_us or state.input_us - self._saved_us < self._interval_us:
            return
        self._saved_us = state.input_us
        snapshot = common_pb2.StateSnapshot(state=state.encode())
        yield self._response(header.epoch, state.input_us, snapshot=snapshot)

    def _begun(self, header: common_pb2.LiveHeader) -> LiveMotionState[StateT]:
        """The state; an utterance's clock starts with its first message."""
        if self._state is not None:
            return self._state
        initial = self._generator.initial_state(self._seed, self._style, self._controls)
        return self._go_on_from(LiveMotionState(initial, self._generator.fps, header.pts_us))

    def _go_on_from(self, state: LiveMotionState[StateT]) -> LiveMotionState[StateT]:
        self._state = state
        self._saved_us = state.input_us
        return state

    def _ready(self) -> motion_pb2.GenerateReady:
        return motion_pb2.GenerateReady(
            fps=self._generator.fps,
            look_ahead_ms=self._generator.look_ahead_ms,
            blendshape_names=BLENDSHAPES,
            style_width=self._generator.style_width,
        )

    def _response(self, epoch: int, pts_us: int, **payload: Any) -> motion_pb2.GenerateResponse:
        header = common_pb2.LiveHeader(session_id=self._session_id, epoch=epoch, pts_us=pts_us)
        return motion_pb2.GenerateResponse(header=header, **payload)
