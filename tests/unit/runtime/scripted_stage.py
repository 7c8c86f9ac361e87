"""A stage for the tests of the lane: as many answers as a message has bytes, step by step."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from lipstream.errors import BadInput
from lipstream.v1 import common_pb2, render_pb2

__all__ = ["ScriptedStage"]


class ScriptedStage:
    """
    Args:
        gate: each step waits for it.
    """

    def __init__(self, gate: threading.Event | None = None) -> None:
        self._gate = gate
        self._one_at_a_time = threading.Lock()
        self.working = threading.Event()
        self.steps = 0
        self.begun: list[int] = []
        self.closed = 0

    def begin(self, epoch: int) -> None:
        with self._alone():
            self.begun.append(epoch)

    def handle(self, request: render_pb2.RenderRequest) -> Iterator[render_pb2.RenderResponse]:
        try:
            for step in range(len(request.frames.gaze)):
                with self._alone():
                    self._step(request)
                yield render_pb2.RenderResponse(
                    header=request.header, frame=render_pb2.VideoFrame(data=bytes([step % 256]))
                )
            if request.HasField("end"):
                yield render_pb2.RenderResponse(header=request.header, end=request.end)
            if request.HasField("config"):
                yield render_pb2.RenderResponse(header=request.header)
        finally:
            self.closed += 1

    def interrupted(self, request: render_pb2.RenderRequest) -> render_pb2.RenderResponse:
        return render_pb2.RenderResponse(header=request.header, interrupt=common_pb2.Interrupt())

    def _step(self, request: render_pb2.RenderRequest) -> None:
        self.working.set()
        if self._gate is not None and not self._gate.wait(20):
            raise TimeoutError("the gate stayed shut")
        self.steps += 1
        if request.frames.rotation == b"bad":
            raise BadInput("This frame is bad.", code="bad_frame")

    def _alone(self) -> threading.Lock:
        assert not self._one_at_a_time.locked(), "two threads work for one stream"
        return self._one_at_a_time
