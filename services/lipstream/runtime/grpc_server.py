"""A stage's gRPC server: its service, health, reflection, and an end that drops nobody."""

# mypy: disable-error-code="import-untyped"
# grpcio's health and reflection packages carry no types.
from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from lipstream.errors import Conflict
from lipstream.runtime.grpc_interceptor import CallInterceptor
from lipstream.runtime.live_seats import LiveSeats
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.tls import TlsFiles

__all__ = ["GrpcServer", "Register"]

Register: TypeAlias = Callable[[grpc.aio.Server], None]
"""Adds servicers, by the generated `add_...Servicer_to_server`."""

_KEEPALIVE_MS = 30_000


class GrpcServer:
    """Runs in the event loop; servicers are async and compute in threads (`compute`).

    Args:
        register: adds the stage's servicers.
        services: their full names, such as `lipstream.v1.AudioService`.
        port: 0 for any free one.
        tls: the server's certificate; with it, callers need one as well.
        seats: who counts and bounds live streams; a server without takes as many as calls.
    """

    def __init__(
        self,
        register: Register,
        services: Sequence[str],
        *,
        telemetry: Telemetry,
        host: str = "127.0.0.1",
        port: int = 0,
        max_message_bytes: int = 8_000_000,
        max_calls: int = 64,
        seats: LiveSeats | None = None,
        tls: TlsFiles | None = None,
    ) -> None:
        self._register = register
        self._services = tuple(services)
        self._tls = tls
        self._target = f"{host}:{port}"
        self._options = (
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
            ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", _KEEPALIVE_MS // 3),
        )
        self._interceptor = CallInterceptor(telemetry, max_calls, seats)
        self._health = health.aio.HealthServicer()
        self._server: Any = None

    async def start(self) -> int:
        """Listen and serve; return the port.

        Raises:
            Conflict: the port is taken.
        """
        self._server = grpc.aio.server(interceptors=[self._interceptor], options=self._options)
        self._register(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(
            (*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server
        )
        try:
            port: int
            if self._tls is None:
                port = self._server.add_insecure_port(self._target)
            else:
                credentials = self._tls.server_credentials()
                port = self._server.add_secure_port(self._target, credentials)
        except RuntimeError as error:
            raise Conflict(
                f"Nothing can listen at {self._target}.", remedy="Choose another port."
            ) from error
        await self._server.start()
        await self.serving(True)
        return port

    async def serving(self, serving: bool) -> None:
        """Say to health checks whether to send calls here."""
        status = health_pb2.HealthCheckResponse.ServingStatus
        for name in ("", *self._services):
            await self._health.set(name, status.SERVING if serving else status.NOT_SERVING)

    async def stop(self, drain_s: float) -> None:
        """Take no more calls; let those that run go on for so long, then cancel them."""
        if self._server is None:
            return
        await self._health.enter_graceful_shutdown()
        # Not cut short by a cancellation of the caller: calls would be dropped.
        await asyncio.shield(self._server.stop(drain_s))
