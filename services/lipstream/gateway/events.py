"""A job's events as server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from fastapi import Request
from fastapi.responses import StreamingResponse

from lipstream.errors import LipstreamError, Overloaded
from lipstream.gateway.platform import Platform
from lipstream.runtime.jobs import JobStore
from lipstream.wire.messages import FIRST_EVENT, JobEvent, checked_event_id
from lipstream.wire.problem import Problem

__all__ = ["event_response"]

_KEEP_ALIVE_S = 10.0
_RECONNECT_MS = 2000


async def event_response(platform: Platform, job_id: str, request: Request) -> StreamingResponse:
    """Everything that happened to a job and will happen, to its end.

    A client that was cut off sends `Last-Event-ID` and misses nothing.

    Raises:
        NotFound: there is no such job.
        BadInput: `Last-Event-ID` is no id of an event.
        Overloaded: too many watch already.
    """
    await platform.jobs.get(job_id)
    after = checked_event_id(request.headers.get("last-event-id") or FIRST_EVENT)
    if platform.watchers.locked():
        raise Overloaded(
            "Too many event streams are open.", remedy="Ask for the state from time to time."
        )
    return StreamingResponse(
        _lines(platform, job_id, after),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _lines(platform: Platform, job_id: str, after: str) -> AsyncIterator[str]:
    lines = _watched(platform.jobs, job_id, after)
    async with platform.watchers, contextlib.aclosing(lines):
        async for line in lines:
            yield line


async def _watched(jobs: JobStore, job_id: str, after: str) -> AsyncGenerator[str, None]:
    yield f"retry: {_RECONNECT_MS}\n\n"
    events = jobs.events(job_id, after)
    waiting = asyncio.ensure_future(anext(events))
    try:
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=_KEEP_ALIVE_S)
            if not done:
                yield ": still here\n\n"
                continue
            try:
                event = waiting.result()
            except StopAsyncIteration:
                return
            except LipstreamError as error:
                yield f"event: error\ndata: {Problem.of(error).encode()}\n\n"
                return
            yield f"id: {event.id}\nevent: {event.status}\ndata: {_document(event)}\n\n"
            waiting = asyncio.ensure_future(anext(events))
    finally:
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, LipstreamError):
            await waiting
        await events.aclose()  # type: ignore[attr-defined]


def _document(event: JobEvent) -> str:
    document: dict[str, Any] = {
        "status": event.status.value,
        "stage": event.stage,
        "progress": round(event.progress, 4),
        "at_ms": event.at_ms,
    }
    if event.error is not None:
        error = event.error
        document["error"] = {
            "code": error.code,
            "title": error.title,
            "detail": error.detail,
            "remedy": error.remedy,
            **({"figures": dict(error.figures)} if error.figures else {}),
        }
    return json.dumps(document)
