"""Channels to stages: plain, or with TLS whose certificates may be rotated."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Self, TypeAlias

import grpc.aio

from lipstream.errors import LipstreamError
from lipstream.runtime.settings import Settings
from lipstream.runtime.tls import TlsFiles

__all__ = ["stage_channel"]

_Options: TypeAlias = Sequence[tuple[str, Any]]

_LOOK_S = 1.0
_RETIRED_S = 3600.0
"""How long calls on a channel with old certificates may go on."""


def stage_channel(settings: Settings, address: str, options: _Options) -> grpc.aio.Channel:
    """A channel to the stage at host:port; for use in the event loop.

    Raises:
        BadInput: the files for TLS are not as they should be.
    """
    files = TlsFiles.of(settings)
    if files is None:
        return grpc.aio.insecure_channel(address, options)
    return _RotatingChannel(files, address, options)


class _RotatingChannel(grpc.aio.Channel):
    """Opens a channel anew when its certificates have changed; calls that run stay on the old."""

    def __init__(self, files: TlsFiles, address: str, options: _Options) -> None:
        self._files = files
        self._address = address
        named = [("grpc.ssl_target_name_override", files.name)] if files.name else []
        self._options = [*options, *named]
        self._stamp = files.stamp()
        self._channel = self._opened()
        self._looked_s = time.monotonic()
        self._retiring: set[asyncio.Task[None]] = set()

    def _opened(self) -> grpc.aio.Channel:
        credentials = self._files.channel_credentials()
        return grpc.aio.secure_channel(self._address, credentials, self._options)

    def _now(self) -> grpc.aio.Channel:
        if time.monotonic() - self._looked_s > _LOOK_S:
            self._looked_s = time.monotonic()
            try:
                stamp = self._files.stamp()
                if stamp != self._stamp:
                    old, self._channel, self._stamp = self._channel, self._opened(), stamp
                    task = asyncio.create_task(old.close(_RETIRED_S))
                    self._retiring.add(task)
                    task.add_done_callback(self._retiring.discard)
            except (LipstreamError, OSError):  # in the middle of a rotation
                pass
        return self._channel

    def unary_unary(self, *given: Any, **named: Any) -> Any:
        return lambda *call, **with_: self._now().unary_unary(*given, **named)(*call, **with_)

    def unary_stream(self, *given: Any, **named: Any) -> Any:
        return lambda *call, **with_: self._now().unary_stream(*given, **named)(*call, **with_)

    def stream_unary(self, *given: Any, **named: Any) -> Any:
        return lambda *call, **with_: self._now().stream_unary(*given, **named)(*call, **with_)

    def stream_stream(self, *given: Any, **named: Any) -> Any:
        return lambda *call, **with_: self._now().stream_stream(*given, **named)(*call, **with_)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._now().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._now().channel_ready()

    async def close(self, grace: float | None = None) -> None:
        for task in self._retiring:
            task.cancel()
        await self._channel.close(grace)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()
