"""Everything that a session sent, in order, as a client collects it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from lipstream.client import LiveClient, LiveEvent, MediaKind, MediaMessage

__all__ = ["Listener"]


@dataclass
class Listener:
    client: LiveClient
    media: list[tuple[float, MediaMessage]] = field(default_factory=list)
    """With the time of arrival, seconds."""
    events: list[dict[str, Any]] = field(default_factory=list)
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    @asynccontextmanager
    async def opened(cls, server: str, **options: Any) -> AsyncIterator[Self]:
        async with LiveClient.opened(server, **options) as client:
            listener = cls(client)
            task = asyncio.create_task(listener._collect())
            try:
                yield listener
            finally:
                task.cancel()

    async def until(self, kind: str, count: int = 1, within_s: float = 30) -> dict[str, Any]:
        """Wait until so many events of a type have come in all; the last of them."""
        async with asyncio.timeout(within_s):
            while len(self.of(kind)) < count:
                self._came.clear()
                await self._came.wait()
        return self.of(kind)[count - 1]

    async def until_media(self, count: int, within_s: float = 30) -> None:
        """Wait until so many media messages have come in all."""
        async with asyncio.timeout(within_s):
            while len(self.media) < count:
                self._came.clear()
                await self._came.wait()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def of_media(self, kind: MediaKind) -> list[MediaMessage]:
        return [media for _, media in self.media if media.kind is kind]

    async def _collect(self) -> None:
        async for event in self.client.events():
            self._take(event)

    def _take(self, event: LiveEvent) -> None:
        if isinstance(event, MediaMessage):
            self.media.append((time.monotonic(), event))
        else:
            self.events.append(event)
        self._came.set()
