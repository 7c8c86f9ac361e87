"""The motion stage's work on a live stream."""

from __future__ import annotations

from collections.abc import Iterator

from lipstream.errors import BadInput
from lipstream.face.arkit import BLENDSHAPES
from lipstream.face.motion import Motion
from lipstream.motion.baseline import BaselineGenerator
from lipstream.v1 import common_pb2, motion_pb2
from lipstream.wire.tensors import pack_motion, unpack_tensor

__all__ = ["LiveMotion"]


class LiveMotion:
    """Features in, frames out, for one stream; see `runtime.live_lane.LiveStage`."""

    def __init__(self, generator: BaselineGenerator, first: motion_pb2.GenerateRequest) -> None:
        config = first.config
        self._generator = generator
        self._session_id = first.header.session_id
        self._seed = config.seed
        self._interval_us = config.snapshot_interval_ms * 1000
        self._resumed = generator.decode_state(config.resume_state) if config.resume_state else None
        self.begin(first.header.epoch)

    def begin(self, epoch: int) -> None:
        self._state = self._resumed or self._generator.initial_state(self._seed)
        self._start_us: int | None = None
        self._frames = 0
        self._snapshot_us = 0

    def handle(self, request: motion_pb2.GenerateRequest) -> Iterator[motion_pb2.GenerateResponse]:
        header = request.header
        match request.WhichOneof("payload"):
            case "config":
                yield motion_pb2.GenerateResponse(
                    header=header,
                    ready=motion_pb2.GenerateReady(
                        fps=self._generator.fps,
                        look_ahead_ms=self._generator.look_ahead_ms,
                        blendshape_names=BLENDSHAPES,
                    ),
                )
            case "features":
                self._resumed = None
                if self._start_us is None:
                    self._start_us = header.pts_us
                rows = unpack_tensor(request.features, self._generator.feature_count)
                motion, self._state = self._generator.step(rows, self._state)
                yield from self._frames_of(motion, header.epoch)
                yield from self._snapshot(header.epoch)
            case "end":
                yield from self._frames_of(self._generator.finish(self._state), header.epoch)
                yield motion_pb2.GenerateResponse(
                    header=self._header(header.epoch), end=common_pb2.EndOfUtterance()
                )
            case other:
                raise BadInput(f"A motion stream takes no {other or 'empty message'}.")

    def interrupted(self, request: motion_pb2.GenerateRequest) -> motion_pb2.GenerateResponse:
        return motion_pb2.GenerateResponse(header=request.header, interrupt=common_pb2.Interrupt())

    def _frames_of(self, motion: Motion, epoch: int) -> Iterator[motion_pb2.GenerateResponse]:
        if not len(motion):
            return
        frames = pack_motion(motion.blendshapes, motion.rotation, motion.translation, motion.gaze)
        yield motion_pb2.GenerateResponse(header=self._header(epoch), frames=frames)
        self._frames += len(motion)

    def _snapshot(self, epoch: int) -> Iterator[motion_pb2.GenerateResponse]:
        now_us = round(self._frames * 1e6 / self._generator.fps)
        if not self._interval_us or now_us - self._snapshot_us < self._interval_us:
            return
        self._snapshot_us = now_us
        yield motion_pb2.GenerateResponse(
            header=self._header(epoch),
            snapshot=common_pb2.StateSnapshot(state=self._state.encode()),
        )

    def _header(self, epoch: int) -> common_pb2.LiveHeader:
        """Of the next frame."""
        pts_us = (self._start_us or 0) + round(self._frames * 1e6 / self._generator.fps)
        return common_pb2.LiveHeader(session_id=self._session_id, epoch=epoch, pts_us=pts_us)
