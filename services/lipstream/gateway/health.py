"""`/healthz`, `/readyz` and `/metrics`, and the metrics of every other route."""

from __future__ import annotations

import asyncio
import contextlib
import time

from fastapi import APIRouter, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lipstream.errors import LipstreamError, Unavailable
from lipstream.gateway.platform import Platform, Shared
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.tracing import NO_SPAN, TRACEPARENT, Span, is_traced, span

__all__ = ["RequestMetrics", "router"]

router = APIRouter(tags=["operations"])

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(platform: Shared) -> dict[str, str]:
    """Redis and the object store answer: jobs can be taken."""
    await _check(platform)
    return {"status": "ready"}


@router.get("/metrics", response_class=Response)
async def metrics(platform: Shared) -> Response:
    """For Prometheus."""
    telemetry = platform.telemetry
    telemetry.sessions(platform.sessions.by_state())
    with contextlib.suppress(Unavailable):
        await _check(platform)
    return Response(telemetry.exposition(), media_type=Telemetry.content_type)


async def _check(platform: Platform) -> None:
    """
    Raises:
        Unavailable: jobs cannot be taken.
    """
    telemetry = platform.telemetry
    telemetry.ready(False)
    answers = await platform.link.ping()
    telemetry.redis_up(answers)
    if not answers:
        raise Unavailable("Redis does not answer.", code="redis_unavailable")
    try:
        await asyncio.to_thread(platform.store.check)
    except LipstreamError as error:
        raise Unavailable(f"The object store does not answer. {error}") from error
    telemetry.ready(True)


class RequestMetrics:
    """ASGI middleware that counts and times requests by route and status."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._telemetry.in_flight("http"), _span(scope) as call:
            try:
                await self._app(scope, receive, watched)
            finally:
                route = scope.get("route")
                path = getattr(route, "path", "other")
                # Callers invent methods; labels are few.
                method = scope["method"] if scope["method"] in _METHODS else "other"
                name = f"{method} {path}"
                call.rename(name)
                call.set(status=status)
                self._telemetry.call_ended(name, str(status), time.perf_counter() - began_s)


def _span(scope: Scope) -> Span:
    """Of a call to the interface, not of probes; its caller may have begun the trace."""
    if not scope["path"].startswith("/v1/") or not is_traced():
        return NO_SPAN
    return span("call", parent=Headers(scope=scope).get(TRACEPARENT, ""))
