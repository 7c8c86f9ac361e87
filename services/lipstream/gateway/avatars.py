"""`/v1/avatars`: make an avatar from a photo or a video, look at it, remove it.

An avatar's fit is the job `avatar-` + its full id, so a name is taken from the moment a fit begins,
and free again when the fit has failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from pathlib import PurePosixPath
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Form, Request, Response, UploadFile
from fastapi.responses import StreamingResponse

from lipstream.errors import BadInput, Conflict, NotFound
from lipstream.gateway.callers import AvatarCaller
from lipstream.gateway.consent import given_consent
from lipstream.gateway.documents import (
    AvatarDocument,
    AvatarName,
    Consent,
    ConsentBy,
    ProblemDocument,
    StatusName,
)
from lipstream.gateway.events import event_response
from lipstream.gateway.platform import Platform, Shared
from lipstream.gateway.principal import Principal
from lipstream.gateway.uploads import kept_upload
from lipstream.pipeline import JobKind
from lipstream.runtime.avatar_library import AvatarEntry
from lipstream.wire.job import Job, JobStatus
from lipstream.wire.objects import REFUSED_SHEET, job_object, job_prefix
from lipstream.wire.tenants import avatar_name

__all__ = ["avatar_job_id", "router"]

T = TypeVar("T")

_EXPORTS = {
    "ply": "application/octet-stream",
    "glb": "model/gltf-binary",
    "splats": "application/vnd.lipstream.splats",
}
"""Media types by a file's ending."""

router = APIRouter(prefix="/v1/avatars", tags=["avatars"])


async def _wanted(avatar_id: str, caller: AvatarCaller) -> str:
    try:
        return caller.avatar(avatar_id)
    except BadInput:
        raise _missing(avatar_id) from None


Wanted = Annotated[str, Depends(_wanted)]
"""Full id of the caller's avatar that the path names."""


@router.post("", status_code=202, response_model=AvatarDocument)
async def create_avatar(
    photo: UploadFile,
    name: Annotated[AvatarName, Form()],
    response: Response,
    platform: Shared,
    caller: AvatarCaller,
    consent: Annotated[Consent, Form()] = "",
    consent_by: Annotated[ConsentBy, Form()] = "",
) -> AvatarDocument:
    """Fit an avatar from a photo, or from a video of one person (3 s to 5 min) in the same field.

    A photo that cannot be used is refused at once; so is a video that is too long or cannot be
    read. Whether one person is seen in it, the fit finds out.
    """
    granted = given_consent(platform.settings, consent, consent_by)
    avatar_id = caller.avatar(name)
    if await _entry(platform, avatar_id) is not None:
        raise _taken(name)
    # Callers that want the same name at once must not overwrite each other's photos.
    params = {"avatar": avatar_id, **granted, "photo": f"input-{uuid.uuid4().hex}"}
    job = Job.new(JobKind.AVATAR, params, avatar_job_id(avatar_id), tenant=caller.tenant)
    key = job_object(job.id, params["photo"])
    limit = platform.settings.max_upload_bytes
    try:
        await _release(platform, avatar_id)
        async with kept_upload(photo, platform.store, key, max_bytes=limit, what="photo"):
            await platform.inspector.check_photo(key)
            await platform.jobs.create(job)
    except Conflict:
        raise _taken(name) from None
    response.headers["Location"] = f"/v1/avatars/{name}"
    return _from_job(job, caller)


@router.get("", response_model=list[AvatarDocument])
async def list_avatars(platform: Shared, caller: AvatarCaller) -> list[AvatarDocument]:
    """Finished avatars by name, then those being made or failed, newest first."""
    entries = await asyncio.to_thread(platform.avatars.entries, caller.tenant)
    finished = {entry.id for entry in entries}
    jobs = await platform.jobs.list_jobs(JobKind.AVATAR, tenant=caller.tenant, limit=200)
    others = [_from_job(job, caller) for job in jobs if job.params["avatar"] not in finished]
    return [*(_from_entry(entry, caller) for entry in entries), *others]


@router.get("/{avatar_id}", response_model=AvatarDocument)
async def get_avatar(avatar_id: Wanted, platform: Shared, caller: AvatarCaller) -> AvatarDocument:
    """State of an avatar; when it is ready, its report."""
    entry = await _entry(platform, avatar_id)
    if entry is not None:
        return _from_entry(entry, caller)
    return _from_job(await _job(platform, avatar_id), caller)


@router.get("/{avatar_id}/events", response_class=StreamingResponse)
async def watch_avatar(avatar_id: Wanted, request: Request, platform: Shared) -> StreamingResponse:
    """Server-sent events of the fit: progress, failure."""
    job = await _job(platform, avatar_id)
    return await event_response(platform, job.id, request)


@router.head("/{avatar_id}/preview", include_in_schema=False)
@router.get("/{avatar_id}/preview", response_class=Response)
async def get_preview(avatar_id: Wanted, platform: Shared) -> Response:
    """The avatar at rest, PNG."""
    picture = await asyncio.to_thread(platform.avatars.preview, avatar_id)
    return Response(picture, media_type="image/png")


@router.head("/{avatar_id}/sheet", include_in_schema=False)
@router.get("/{avatar_id}/sheet", response_class=Response)
async def get_sheet(avatar_id: Wanted, platform: Shared) -> Response:
    """Its visemes, a blink, a smile and a turn side by side, PNG; of a refused avatar too."""
    if await _entry(platform, avatar_id) is not None:
        picture = await asyncio.to_thread(platform.avatars.sheet, avatar_id)
    else:
        job = await _job(platform, avatar_id)
        key = job_object(job.id, REFUSED_SHEET)
        try:
            picture = await asyncio.to_thread(platform.store.get, key)
        except NotFound:
            raise NotFound(f"There are no pictures of {avatar_name(avatar_id)!r}.") from None
    return Response(picture, media_type="image/png")


@router.head("/{avatar_id}/export", include_in_schema=False)
@router.get(
    "/{avatar_id}/export",
    response_class=StreamingResponse,
    responses={200: {"content": {media_type: {} for media_type in _EXPORTS.values()}}},
)
async def export_avatar(
    avatar_id: Wanted, format: Literal["ply", "glb", "splats"], request: Request, platform: Shared
) -> Response:
    """The avatar at rest: Gaussians for splat viewers, or a mesh with ARKit's morph targets; or all
    that a renderer in the browser needs (docs/splats.md). A file never changes under its ETag."""
    key = await platform.inspector.export(avatar_id, format)
    info = await asyncio.to_thread(platform.store.stat, key)
    tag = f'"{PurePosixPath(key).stem}"'  # what the file is made from
    # An avatar that is made again under the same name is another: ask each time.
    cached = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=cached)
    headers = {
        "Content-Disposition": f'attachment; filename="{avatar_name(avatar_id)}.{format}"',
        "Content-Length": str(info.size_bytes),
        **cached,
    }
    if request.method == "HEAD":
        return Response(media_type=_EXPORTS[format], headers=headers)
    stream = platform.store.stream(key)
    return StreamingResponse(stream, media_type=_EXPORTS[format], headers=headers)


@router.delete("/{avatar_id}", status_code=204)
async def delete_avatar(avatar_id: Wanted, platform: Shared) -> None:
    """Remove an avatar, or stop its fit."""
    try:
        job = await _job(platform, avatar_id)
    except NotFound:
        job = None
    if job is not None:
        await platform.jobs.cancel(job.id)
        await _release(platform, avatar_id)
    try:
        await asyncio.to_thread(platform.avatars.remove, avatar_id)
    except (BadInput, NotFound):
        if job is None:
            raise _missing(avatar_id) from None


def avatar_job_id(avatar_id: str) -> str:
    """The job that makes, or made, the avatar of that full id."""
    return f"avatar-{avatar_id}"


def _taken(name: str) -> Conflict:
    return Conflict(
        f"There is an avatar {name!r} already, or one is being made.",
        remedy="Choose another name, or delete it first.",
        code="name_taken",
    )


async def _entry(platform: Platform, avatar_id: str) -> AvatarEntry | None:
    try:
        return await asyncio.to_thread(platform.avatars.entry, avatar_id)
    except NotFound:
        return None
    except BadInput as error:
        if error.code != "bad_name":
            raise
        return None


async def _job(platform: Platform, avatar_id: str) -> Job:
    try:
        return await platform.jobs.get(avatar_job_id(avatar_id))
    except (BadInput, NotFound):
        raise _missing(avatar_id) from None


def _missing(avatar_id: str) -> NotFound:
    return NotFound(
        f"There is no avatar {avatar_name(avatar_id)[:64]!r}.",
        remedy="See the list of avatars at /v1/avatars.",
    )


async def _release(platform: Platform, avatar_id: str) -> None:
    """Forget an earlier fit that has ended, with its objects.

    Raises:
        Conflict: it has not ended.
    """
    store, prefix = platform.store, job_prefix(avatar_job_id(avatar_id))

    def keys() -> list[str]:
        return [info.key for info in store.list(prefix)]

    # Listed before: as soon as the fit is forgotten, another may put its photo there.
    ended = await asyncio.to_thread(keys)
    with contextlib.suppress(NotFound):
        await platform.jobs.delete(avatar_job_id(avatar_id))
        for key in ended:
            await asyncio.to_thread(store.delete, key)


def _from_entry(entry: AvatarEntry, caller: Principal) -> AvatarDocument:
    manifest = entry.manifest
    name = avatar_name(entry.id)
    base = f"/v1/avatars/{name}"
    return AvatarDocument(
        id=name,
        status="ready",
        progress=1.0,
        created=_of_type(str, manifest.get("created")),
        source=_of_type(dict, manifest.get("source")),
        consent=_of_type(dict, manifest.get("consent")),
        report=_of_type(dict, manifest.get("quality")),
        warnings=_of_type(list, manifest.get("warnings")) or [],
        links=caller.links(
            base,
            preview=f"{base}/preview",
            sheet=f"{base}/sheet",
            events=f"{base}/events",
            **{ending: f"{base}/export?format={ending}" for ending in _EXPORTS},
        ),
    )


def _of_type(kind: type[T], value: object) -> T | None:
    """`value`; None where another version of the manifest means something else by its name."""
    return value if isinstance(value, kind) else None


def _from_job(job: Job, caller: Principal) -> AvatarDocument:
    name = avatar_name(job.params["avatar"])
    base = f"/v1/avatars/{name}"
    # A fit that succeeded without an entry was deleted in between.
    over = job.status is JobStatus.SUCCEEDED
    status: StatusName = "running" if over else job.status.value
    links = {"events": f"{base}/events"}
    refused = job.error is not None and bool(job.error.figures)
    if refused:  # it was made, and looked at
        links["sheet"] = f"{base}/sheet"
    return AvatarDocument(
        id=name,
        status=status,
        progress=round(job.progress, 4),
        report=dict(job.error.figures) or None if job.error else None,
        warnings=list(job.warnings),
        error=ProblemDocument.of(job.error) if job.error else None,
        links=caller.links(base, **links),
    )
