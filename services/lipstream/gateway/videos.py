"""`/v1/videos`: ask for a video, watch it being made, fetch it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.datastructures import UploadFile

from lipstream.errors import BadInput, Conflict, NotFound, TooLarge
from lipstream.gateway.avatars import avatar_job_id
from lipstream.gateway.callers import VideoCaller
from lipstream.gateway.consent import check_recorded
from lipstream.gateway.documents import (
    MostListed,
    ProblemDocument,
    VideoDocument,
    VideoRequest,
)
from lipstream.gateway.events import event_response
from lipstream.gateway.idempotency import REPLAYED, once
from lipstream.gateway.platform import Platform, Shared
from lipstream.gateway.principal import Principal
from lipstream.gateway.problems import problem_response
from lipstream.gateway.ranges import UnsatisfiableRange, parse_range
from lipstream.gateway.refusals import RangeBehindEnd
from lipstream.gateway.request_schema import request_schema
from lipstream.gateway.uploads import kept_upload
from lipstream.gateway.video_form import VideoForm, video_form
from lipstream.pipeline import JobKind
from lipstream.wire.job import Job, JobStatus, Priority
from lipstream.wire.objects import job_object, job_prefix
from lipstream.wire.output import FilmFormat, Output
from lipstream.wire.tenants import avatar_name

__all__ = ["check_avatar", "check_text", "router", "video_document", "video_job"]

_OF_THE_JOB = {"priority", "deadline_s"}
"""Fields that say how the work is done, not what the video is like."""
_MEDIA_TYPES = [kind.media_type for kind in FilmFormat]

router = APIRouter(prefix="/v1/videos", tags=["videos"])

_SCHEMA = request_schema(VideoRequest)
_BODY = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _SCHEMA},
            "multipart/form-data": {
                "schema": {
                    **_SCHEMA,
                    "properties": {
                        **_SCHEMA["properties"],
                        "audio": {"type": "string", "format": "binary"},
                        "background": {
                            "anyOf": [
                                {"type": "string", "format": "binary"},
                                _SCHEMA["properties"]["background"],
                            ]
                        },
                    },
                }
            },
        },
    },
}


@router.post("", status_code=202, response_model=VideoDocument, openapi_extra=_BODY)
async def create_video(
    request: Request, response: Response, platform: Shared, caller: VideoCaller
) -> VideoDocument:
    """Queue a video: JSON with `text`, or a form with files in `audio` and `background`.

    With an `Idempotency-Key` of the caller's choice, a request that is sent again within a day
    gives the same video.
    """
    async with video_form(request, platform.settings.max_text_chars) as form:
        wanted = form.wanted
        fields = wanted.model_dump(mode="json", exclude_none=True)
        uploads = [upload.file if upload else None for upload in (form.audio, form.background)]
        async with once(platform, request, f"videos of {caller.tenant}", fields, uploads) as this:
            if this.made is not None:
                job = this.made
                response.headers[REPLAYED] = "true"
            else:
                job = video_job(caller, wanted, this.id)
                await _create(platform, job, form)
    response.headers["Location"] = f"/v1/videos/{job.id}"
    return video_document(job, caller)


@router.get("", response_model=list[VideoDocument])
async def list_videos(
    platform: Shared, caller: VideoCaller, limit: MostListed = 50
) -> list[VideoDocument]:
    """The newest videos first."""
    jobs = await platform.jobs.list_jobs(JobKind.VIDEO, tenant=caller.tenant, limit=limit)
    return [video_document(job, caller) for job in jobs]


@router.get("/{video_id}", response_model=VideoDocument)
async def get_video(video_id: str, platform: Shared, caller: VideoCaller) -> VideoDocument:
    """Where a video is, or why it failed."""
    return video_document(await _video(platform, caller, video_id), caller)


@router.get("/{video_id}/events", response_class=StreamingResponse)
async def watch_video(
    video_id: str, request: Request, platform: Shared, caller: VideoCaller
) -> StreamingResponse:
    """Server-sent events: stage, progress, failure."""
    await _video(platform, caller, video_id)
    return await event_response(platform, video_id, request)


@router.delete("/{video_id}", status_code=204)
async def delete_video(video_id: str, platform: Shared, caller: VideoCaller) -> None:
    """Cancel a video that is being made, or delete one that is finished."""
    await _video(platform, caller, video_id)
    await platform.jobs.cancel(video_id)
    await platform.jobs.delete(video_id)
    await asyncio.to_thread(platform.store.delete_all, job_prefix(video_id))


@router.head("/{video_id}/file", include_in_schema=False)
@router.get(
    "/{video_id}/file",
    response_class=StreamingResponse,
    responses={status: {"content": {each: {} for each in _MEDIA_TYPES}} for status in (200, 206)},
)
async def get_video_file(
    video_id: str, request: Request, platform: Shared, caller: VideoCaller
) -> Response:
    """The file. Byte ranges are served, so players can seek."""
    job = await _video(platform, caller, video_id)
    if job.status is not JobStatus.SUCCEEDED:
        raise Conflict(
            f"The video is {job.status.value}; there is no file.",
            remedy="Wait for its event 'succeeded'.",
            code="not_ready",
        )
    kind = Output.of(job.params).format
    key = job_object(video_id, "video")
    if platform.settings.downloads == "store":
        elsewhere = await asyncio.to_thread(
            platform.store.address, key, platform.settings.link_lasts_s
        )
        if elsewhere is not None:
            return RedirectResponse(elsewhere, 307, {"Cache-Control": "no-store"})
    info = await asyncio.to_thread(platform.store.stat, key)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'inline; filename="{video_id}{kind.ending}"',
    }
    if info.etag:
        headers["ETag"] = info.etag if info.etag.startswith('"') else f'"{info.etag}"'
    if request.method == "HEAD":
        # Nothing is read from the store. Ranges are of GET alone (RFC 9110, 14.2).
        headers["Content-Length"] = str(info.size_bytes)
        return Response(media_type=kind.media_type, headers=headers)
    try:
        wanted = parse_range(request.headers.get("range"), info.size_bytes)
    except UnsatisfiableRange as error:
        refusal = RangeBehindEnd(
            f"The file ends after {info.size_bytes} bytes, before the range begins.",
            remedy="Ask for an earlier range, or for the file without one.",
        )
        answer = problem_response(refusal, request.url.path)
        answer.headers["Content-Range"] = str(error)
        return answer
    if wanted is None:
        headers["Content-Length"] = str(info.size_bytes)
        return StreamingResponse(
            platform.store.stream(key), media_type=kind.media_type, headers=headers
        )
    headers["Content-Length"] = str(len(wanted))
    headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{info.size_bytes}"
    return StreamingResponse(
        platform.store.stream(key, wanted.start, wanted.stop),
        status_code=206,
        media_type=kind.media_type,
        headers=headers,
    )


async def _create(platform: Platform, job: Job, form: VideoForm) -> None:
    inspector = platform.inspector
    await check_avatar(platform, job.params["avatar"])
    if form.audio is None:
        await check_text(platform, form.wanted)
    async with (
        _kept(platform, form.audio, job_object(job.id, "input"), "audio"),
        _kept(platform, form.background, job_object(job.id, "background"), "background"),
    ):
        if form.audio is not None:
            await inspector.check_audio(job_object(job.id, "input"))
        if form.background is not None:
            await inspector.check_background(job_object(job.id, "background"))
        await platform.jobs.create(job)


@asynccontextmanager
async def _kept(
    platform: Platform, upload: UploadFile | None, key: str, what: str
) -> AsyncIterator[None]:
    """Store an upload, if there is one; it stays when the block ends well."""
    if upload is None:
        yield
        return
    limit = platform.settings.max_upload_bytes
    async with kept_upload(upload, platform.store, key, max_bytes=limit, what=what):
        yield


def video_job(caller: Principal, wanted: VideoRequest, job_id: str | None = None) -> Job:
    """The job that makes a video.

    Raises:
        BadInput: no avatar can be named so.
    """
    params = wanted.model_dump(mode="json", exclude_none=True, exclude=_OF_THE_JOB)
    return Job.new(
        JobKind.VIDEO,
        params | {"avatar": caller.avatar(wanted.avatar)},
        job_id,
        tenant=caller.tenant,
        priority=Priority(wanted.priority),
        within_s=wanted.deadline_s,
    )


async def check_avatar(platform: Platform, avatar_id: str) -> None:
    """
    Args:
        avatar_id: the full id, with its tenant.

    Raises:
        Conflict: it is still being made.
        NotFound: there is none.
        Forbidden: it has no record of consent.
    """
    try:
        entry = await asyncio.to_thread(platform.avatars.entry, avatar_id)
        check_recorded(platform.settings, avatar_name(avatar_id), entry.manifest)
    except NotFound:
        try:
            job = await platform.jobs.get(avatar_job_id(avatar_id))
        except (BadInput, NotFound):
            job = None
        if job is None or job.status.finished:
            raise
        name = avatar_name(avatar_id)
        raise Conflict(
            f"The avatar {name!r} is still being made.",
            remedy=f"Wait for the event 'succeeded' of /v1/avatars/{name}/events.",
            code="avatar_not_ready",
        ) from None


async def check_text(platform: Platform, wanted: VideoRequest) -> None:
    """
    Raises:
        TooLarge: the text is over the limit.
        BadInput: it is empty, or there is no such voice.
    """
    text = wanted.text or ""
    limit = platform.settings.max_text_chars
    if len(text) > limit:
        raise TooLarge(
            f"The text has {len(text)} characters; the limit is {limit}.",
            remedy="Split it into several videos.",
        )
    if not text.strip():
        raise BadInput("The text is empty.", remedy="Send what is to be said.", code="empty_text")
    await platform.inspector.check_voice(wanted.voice)


async def _video(platform: Platform, caller: Principal, video_id: str) -> Job:
    try:
        job = await platform.jobs.get(video_id)
    except (BadInput, NotFound):
        job = None
    if job is None or job.kind is not JobKind.VIDEO or job.tenant != caller.tenant:
        raise NotFound(
            f"There is no video {video_id[:64]!r}.", remedy="See the list: GET /v1/videos."
        )
    return job


def video_document(job: Job, caller: Principal) -> VideoDocument:
    """What callers see of a video's job."""
    base = f"/v1/videos/{job.id}"
    links = {"events": f"{base}/events"}
    if job.status is JobStatus.SUCCEEDED:
        links["file"] = f"{base}/file"
    error = job.error
    return VideoDocument(
        id=job.id,
        status=job.status.value,
        stage=job.stage,
        progress=round(job.progress, 4),
        avatar=avatar_name(job.params["avatar"]),
        priority=job.priority.value,
        deadline_ms=job.deadline_ms or None,
        created_ms=job.created_ms,
        updated_ms=job.updated_ms,
        results=dict(job.results),
        warnings=list(job.warnings),
        error=ProblemDocument.of(error) if error else None,
        links=caller.links(base, **links),
    )
