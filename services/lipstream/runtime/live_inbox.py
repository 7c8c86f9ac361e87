"""The messages of one live stream that wait for its stage: bounded, in order, aware of epochs.

It is filled by the task that reads the stream and emptied by the one that works. Because the
reader is ahead of the work, an interrupt takes effect while the work that it makes stale still
runs.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any, Generic, TypeVar

from lipstream.errors import BadInput

__all__ = ["MAX_WAITING_BYTES", "LiveInbox"]

MAX_WAITING_BYTES = 4_000_000
"""What waits before the stream is read no further: 20 s of the widest audio, minutes of motion."""

_OVERHEAD_BYTES = 512
"""Of a message in memory; bounds how many empty ones may wait."""

# Messages of the generated classes; they share `header` and the oneof `payload`.
RequestT = TypeVar("RequestT", bound=Any)


class LiveInbox(Generic[RequestT]):
    """One reader, one worker, one event loop.

    Args:
        epoch: of the stream's first message.
    """

    def __init__(self, epoch: int = 0, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[RequestT, float]] = deque()
        self.arrived_s = 0.0
        """When the message that was taken last had come, by `time.perf_counter`."""
        self._bytes = 0
        self._latest = epoch
        self._floor = epoch
        self._ended = False
        self._closed = False
        self._failure: Exception | None = None
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    async def put(self, request: RequestT) -> None:
        """Take a message; return when there is room for another.

        An interrupt drops what waits under lower epochs. A message under a lower epoch than one
        before it is ignored.

        Raises:
            BadInput: content follows the end of its epoch.
        """
        epoch: int = request.header.epoch
        if epoch < self._latest:
            return
        kind = request.WhichOneof("payload")
        self._ended = self._ended and epoch == self._latest
        if self._ended and kind not in ("interrupt", "keyframe"):
            raise BadInput(
                f"Epoch {epoch} has ended, yet more of it came.",
                remedy="Send what is said next under a higher epoch.",
                code="after_end",
            )
        self._ended = self._ended or kind == "end"
        self._latest = epoch
        if kind == "interrupt":
            self._floor = epoch
            self._keep([waiting for waiting in self._waiting if not self.is_stale(waiting[0])])
        self._bytes += _size(request)
        if kind == "keyframe":
            # Meant for the very next picture, not for the one after all that waits.
            self._waiting.appendleft((request, time.perf_counter()))
        else:
            self._waiting.append((request, time.perf_counter()))
        self._arrived.set()
        while self._bytes > self._max_bytes:
            self._room.clear()
            await self._room.wait()

    def close(self, failure: Exception | None = None) -> None:
        """Nothing more comes; `failure` is raised after what waits is taken."""
        self._closed = True
        self._failure = failure
        self._arrived.set()

    async def get(self) -> RequestT | None:
        """The next message, or None at the end."""
        while not self._waiting:
            if self._failure is not None:
                raise self._failure
            if self._closed:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        request, self.arrived_s = self._waiting.popleft()
        self._bytes -= _size(request)
        self._room.set()
        return request

    def is_stale(self, request: RequestT) -> bool:
        """Whether an interrupt has come since that makes this message pointless.

        The configuration holds for all epochs, and so does its answer; so do controls.
        """
        stale: bool = request.header.epoch < self._floor
        return stale and request.WhichOneof("payload") not in ("config", "controls")

    def _keep(self, waiting: list[tuple[RequestT, float]]) -> None:
        self._waiting = deque(waiting)
        self._bytes = sum(_size(request) for request, _ in waiting)


def _size(request: Any) -> int:
    size: int = request.ByteSize() + _OVERHEAD_BYTES
    return size
