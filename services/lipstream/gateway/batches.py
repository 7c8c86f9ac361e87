"""`/v1/batches`: many videos at once, by the lines of a manifest."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from lipstream.errors import BadInput, Conflict, LipstreamError, NotFound, TooLarge, Unavailable
from lipstream.gateway.callers import VideoCaller
from lipstream.gateway.documents import (
    BatchDocument,
    BatchEntry,
    BatchLine,
    MostListed,
    ProblemDocument,
    VideoRequest,
)
from lipstream.gateway.idempotency import once
from lipstream.gateway.manifest import MANIFEST_TYPES, manifest_lines
from lipstream.gateway.platform import Platform, Shared
from lipstream.gateway.principal import Principal
from lipstream.gateway.videos import check_avatar, check_text, video_job
from lipstream.runtime.batches import Batch
from lipstream.wire.job import Job
from lipstream.wire.problem import Problem

__all__ = ["router"]

_MAX_BYTES = 50_000_000
_PAGE = 1000
_SIGN_EVERY = 20
"""Lines."""
_CUT_OFF = Problem.of(
    Unavailable(
        "The server that read this batch stopped before it came to this line.",
        remedy="Send the manifest again with the same Idempotency-Key; what was made stays.",
        code="cut_off",
    )
)

router = APIRouter(prefix="/v1/batches", tags=["batches"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "array" if kind.endswith("/json") else "string"}}
            for kind in MANIFEST_TYPES
        },
    },
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    ],
}


@router.post("", status_code=202, response_model=BatchDocument, openapi_extra=_BODY)
async def create_batch(
    request: Request, response: Response, platform: Shared, caller: VideoCaller
) -> BatchDocument:
    """Queue a video for each line of a manifest: JSON Lines, CSV with a header, or a JSON array.

    Lines have the fields of `POST /v1/videos`, with `text`; their `priority` is `batch` unless they
    say otherwise. A line that cannot be used is refused with its reason, and the others go on. With
    an `Idempotency-Key`, the same manifest sent again goes on where an earlier request was cut off:
    what was made is not made again.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await _read(request)
    wishes = list(manifest_lines(media_type, body, platform.settings.max_batch_lines))
    scope = f"batches of {caller.tenant}"
    async with once(platform, request, scope, body.decode("utf-8-sig")) as this:
        batch = await platform.batches.begin(
            this.id or uuid.uuid4().hex, caller.tenant, len(wishes)
        )
        there = await platform.batches.jobs(batch, range(1, batch.lines + 1))
        avatars: dict[str, LipstreamError | None] = {}
        for line, wish in enumerate(wishes, 1):
            if line in there:
                continue
            if line % _SIGN_EVERY == 0:
                await platform.batches.still_reading(batch)
            try:
                await _create(platform, caller, batch.job_id(line), wish, avatars)
            except LipstreamError as error:
                await platform.batches.refuse(batch, line, Problem.of(error))
        await platform.batches.read_through(batch)
    response.headers["Location"] = f"/v1/batches/{batch.id}"
    return await _document(platform, await platform.batches.get(batch.id), range(0))


@router.get("", response_model=list[BatchEntry])
async def list_batches(
    platform: Shared, caller: VideoCaller, limit: MostListed = 50
) -> list[BatchEntry]:
    """The newest batches first. What became of a batch's videos is said by itself."""
    batches = await platform.batches.newest(caller.tenant, limit)
    return [BatchEntry(**_entry(batch)) for batch in batches]


@router.get("/{batch_id}", response_model=BatchDocument)
async def get_batch(
    batch_id: str,
    platform: Shared,
    caller: VideoCaller,
    first: Annotated[int, Query(ge=1, description="Line to begin with.")] = 1,
    limit: Annotated[int, Query(ge=0, le=_PAGE, description="Lines at most.")] = 100,
) -> BatchDocument:
    """How far a batch is, and what became of each line."""
    batch = await _batch(platform, caller, batch_id)
    return await _document(platform, batch, range(first, min(first + limit, batch.lines + 1)))


@router.delete("/{batch_id}", status_code=204)
async def cancel_batch(batch_id: str, platform: Shared, caller: VideoCaller) -> None:
    """Cancel all videos of a batch that are not done. What is done stays."""
    batch = await _batch(platform, caller, batch_id)
    for job in (await platform.batches.jobs(batch, range(1, batch.lines + 1))).values():
        if not job.status.finished:
            await platform.jobs.cancel(job.id)


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BYTES:
            raise TooLarge(
                f"The manifest is over the limit of {_MAX_BYTES:,} bytes.",
                remedy="Split it into several batches.",
            )
    return bytes(body)


async def _create(
    platform: Platform,
    caller: Principal,
    job_id: str,
    wish: VideoRequest | BadInput,
    avatars: dict[str, LipstreamError | None],
) -> None:
    """
    Args:
        avatars: what was found out about each; most batches have one.

    Raises:
        LipstreamError: no job can be made of the line.
    """
    if isinstance(wish, BadInput):
        raise wish
    job = video_job(caller, wish, job_id)
    avatar = job.params["avatar"]
    if avatar not in avatars:
        try:
            await check_avatar(platform, avatar)
            avatars[avatar] = None
        except LipstreamError as error:
            avatars[avatar] = error
    if (refusal := avatars[avatar]) is not None:
        raise refusal
    await check_text(platform, wish)
    try:
        await platform.jobs.create(job)
    except Conflict:
        return  # an earlier request made it


async def _batch(platform: Platform, caller: Principal, batch_id: str) -> Batch:
    try:
        batch = await platform.batches.get(batch_id)
    except (BadInput, NotFound):
        batch = None
    if batch is None or batch.tenant != caller.tenant:
        raise NotFound(
            f"There is no batch {batch_id[:64]!r}.", remedy="See the list: GET /v1/batches."
        )
    return batch


async def _document(platform: Platform, batch: Batch, page: range) -> BatchDocument:
    jobs = await platform.batches.jobs(batch, range(1, batch.lines + 1))
    lines = [_line(batch, line, jobs.get(line)) for line in range(1, batch.lines + 1)]
    counts: Counter[str] = Counter(line.status or "unknown" for line in lines)
    return BatchDocument(
        **_entry(batch),
        counts=dict(counts),
        # Of a batch that was read, what is unknown ended long ago and was forgotten.
        done=not ({"queued", "running"} & set(counts) or ("unknown" in counts and batch.reading)),
        page=lines[page.start - 1 : page.stop - 1] if len(page) else [],
    )


def _entry(batch: Batch) -> dict[str, Any]:
    links = {"self": f"/v1/batches/{batch.id}"}
    return {"id": batch.id, "created_ms": batch.created_ms, "lines": batch.lines, "links": links}


def _line(batch: Batch, line: int, job: Job | None) -> BatchLine:
    if job is None:
        problem = batch.refused.get(line) or (_CUT_OFF if batch.cut_off else None)
        error = ProblemDocument.of(problem) if problem else None
        return BatchLine(line=line, status="failed" if problem else None, error=error)
    base = f"/v1/videos/{job.id}"
    return BatchLine(
        line=line,
        status=job.status.value,
        video=job.id,
        progress=round(job.progress, 4),
        error=ProblemDocument.of(job.error) if job.error else None,
        links={"video": base},
    )
