"""What waits to be sent to one client, within bounds."""

from __future__ import annotations

import asyncio
import json

from lipstream.errors import Overloaded
from lipstream.gateway.sessions.live_session import Sent
from lipstream.wire.live_media import MediaMessage

__all__ = ["Connection"]

_MOST_BYTES = 4_000_000
"""Some ten seconds of video: a client that does not read for so long will not catch up."""


class Connection:
    """Between a session, which never waits, and a socket, which may be slow."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._bytes = 0
        self._closed = False
        self.failure: Overloaded | None = None

    def put(self, item: Sent) -> None:
        """Send this as soon as may be; closes the connection when too much waits."""
        if self._closed:
            return
        message = item.encode() if isinstance(item, MediaMessage) else json.dumps(item)
        self._bytes += len(message)
        if self._bytes > _MOST_BYTES:
            self.failure = Overloaded(
                "The client does not read as fast as the session speaks.",
                remedy="Read on, or ask for smaller pictures, then connect again.",
                code="slow_client",
            )
            self.close()
            return
        self._queue.put_nowait(message)

    async def get(self) -> str | bytes | None:
        """The next message; None when there will be none."""
        message = await self._queue.get()
        if message is not None:
            self._bytes -= len(message)
        return message

    def close(self) -> None:
        """Nothing more is sent but what waits; nothing at all after a failure."""
        if self._closed:
            return
        self._closed = True
        if self.failure is not None:
            while not self._queue.empty():
                self._queue.get_nowait()
        self._queue.put_nowait(None)
