"""gRPC channels to the replicas of stages, shared by all sessions of this gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Set

import grpc.aio

from lipstream.runtime.settings import Settings
from lipstream.runtime.stage_channel import stage_channel

__all__ = ["Channels"]

_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    # A stage that comes back is found at once.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


class Channels:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def to(self, address: str) -> grpc.aio.Channel:
        if address not in self._channels:
            self._channels[address] = stage_channel(self._settings, address, _OPTIONS)
        return self._channels[address]

    def keep(self, addresses: Set[str]) -> None:
        """Connect to these, so that a session that must go there need not wait; forget others."""
        for address in addresses:
            self.to(address).get_state(try_to_connect=True)
        for address in self._channels.keys() - addresses:
            closing = asyncio.create_task(self._channels.pop(address).close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()
        await asyncio.gather(*self._closing)
