"""`/healthz`, `/readyz` and `/metrics`, and the metrics of every other route."""

from __future__ import annotations

import asyncio
import contextlib
import time

from fastapi import APIRouter, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lipstream.errors import LipstreamError, Unavailable
from lipstream.gateway.platform import Platform, Shared
from lipstream.runtime.telemetry import Telemetry

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

        with self._telemetry.in_flight("http"):
            try:
                await self._app(scope, receive, watched)
            finally:
                route = scope.get("route")
                path = getattr(route, "path", "other")
                # Callers invent methods; labels are few.
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._telemetry.call_ended(
                    f"{method} {path}", str(status), time.perf_counter() - began_s
                )
