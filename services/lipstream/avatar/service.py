"""The avatar stage as a service.

What only a fit or an export needs is imported by the first of them: jobs are fitted by other
processes, unless the settings say otherwise.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import grpc.aio

from lipstream.avatar.bundling import as_note
from lipstream.avatar.fits import fit_handler
from lipstream.avatar.inspect import inspect_source
from lipstream.avatar.preflight import Finding
from lipstream.errors import BadInput, Cancelled
from lipstream.face.bundle import Manifest, Note
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.bounded import BoundedCalls
from lipstream.runtime.compute import ComputePool
from lipstream.runtime.object_store import ObjectStore
from lipstream.runtime.stage_main import StageApp, StageKit
from lipstream.v1 import avatar_pb2, avatar_pb2_grpc, common_pb2
from lipstream.wire.objects import checked_avatar_id

if TYPE_CHECKING:
    from lipstream.avatar.fit import Progress

__all__ = ["AvatarServicer", "build"]

_FITS_AT_ONCE = 2
"""Of live calls, exports with them; the rest wait. A fit uses a core for seconds and some hundred
megabytes."""


class AvatarServicer(avatar_pb2_grpc.AvatarServiceServicer):
    def __init__(self, store: ObjectStore, compute: ComputePool) -> None:
        self._store = store
        self._library = AvatarLibrary(store)
        self._compute = compute
        self._decoder = BoundedCalls()
        # Apart from the short calls, which should not wait for a fit.
        self._fits = ComputePool(_FITS_AT_ONCE)

    async def Fit(
        self,
        request: avatar_pb2.FitRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[avatar_pb2.FitEvent]:
        avatar_id = _checked(request)
        events: asyncio.Queue[avatar_pb2.FitEvent | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        unwanted = Event()

        def say(fraction: float, step: str) -> None:
            if unwanted.is_set():
                raise Cancelled("Nobody waits for this fit any more.")
            progress = avatar_pb2.FitProgress(step=step, fraction=fraction)
            loop.call_soon_threadsafe(events.put_nowait, avatar_pb2.FitEvent(progress=progress))

        fit = asyncio.create_task(self._fits.run(self._create, request, avatar_id, say))
        fit.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while (event := await events.get()) is not None:
                yield event
            manifest = await fit
        finally:
            unwanted.set()
            fit.cancel()
        for note in manifest.warnings:
            yield avatar_pb2.FitEvent(warning=_warning(note))
        description = await self._compute.run(self._describe, avatar_id)
        result = avatar_pb2.FitResult(avatar_id=avatar_id, description=description)
        yield avatar_pb2.FitEvent(result=result)

    async def Inspect(
        self,
        request: avatar_pb2.InspectPhotoRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> avatar_pb2.InspectPhotoResponse:
        findings = await self._compute.run(self._inspect, request.photo_key)
        return avatar_pb2.InspectPhotoResponse(
            warnings=[_warning(as_note(finding)) for finding in findings]
        )

    async def Describe(
        self,
        request: avatar_pb2.DescribeRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> avatar_pb2.DescribeResponse:
        return await self._compute.run(self._describe, request.avatar_id)

    async def Export(
        self,
        request: avatar_pb2.ExportRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> avatar_pb2.ExportResponse:
        key = await self._fits.run(self._export, request.avatar_id, request.format)
        return avatar_pb2.ExportResponse(key=key)

    def _create(self, request: avatar_pb2.FitRequest, avatar_id: str, say: Progress) -> Manifest:
        from lipstream.avatar.create import create_avatar

        if request.photo_bytes:
            photo = request.photo_bytes
            return create_avatar(self._library, avatar_id, photo, request.consent, progress=say)
        with self._fetched(request.photo_key) as path:
            return create_avatar(self._library, avatar_id, path, request.consent, progress=say)

    def _export(self, avatar_id: str, format_name: str) -> str:
        from lipstream.avatar.exports import store_export

        return store_export(self._store, avatar_id, format_name)

    def _inspect(self, key: str) -> tuple[Finding, ...]:
        with self._fetched(key) as path:
            return inspect_source(path, self._decoder)

    @contextmanager
    def _fetched(self, key: str) -> Iterator[Path]:
        """A file of the object store, which may be large."""
        with tempfile.TemporaryDirectory(prefix="lipstream-avatar-") as folder:
            path = Path(folder) / "source"
            self._store.get_file(key, path)
            yield path

    def _describe(self, avatar_id: str) -> avatar_pb2.DescribeResponse:
        entry = self._library.entry(avatar_id)
        return avatar_pb2.DescribeResponse(
            manifest_json=json.dumps(entry.manifest), preview=self._library.preview(avatar_id)
        )


def build(kit: StageKit) -> StageApp:
    """The stage from its settings."""
    servicer = AvatarServicer(kit.store, kit.compute)
    return StageApp(
        handle=fit_handler(kit.settings),
        register=lambda server: avatar_pb2_grpc.add_AvatarServiceServicer_to_server(
            servicer, server
        ),
        services=("lipstream.v1.AvatarService",),
        warm_up=_warm_up if kit.settings.fits == "here" else None,
    )


def _warm_up() -> None:
    from lipstream.avatar.create import create_avatar  # noqa: F401  the first fit's imports
    from lipstream.render import warm_up

    warm_up(fitting=True)


def _warning(note: Note) -> common_pb2.Problem:
    return common_pb2.Problem(
        code=note.reason, title="The photo is not ideal", detail=note.message, remedy=note.remedy
    )


def _checked(request: avatar_pb2.FitRequest) -> str:
    """The new avatar's id."""
    avatar_id = checked_avatar_id(request.name)
    if not request.consent.strip():
        raise BadInput(
            "An avatar needs a statement of consent.",
            remedy="Say who allows this face to be used, and how.",
            code="no_consent",
        )
    if not request.photo_bytes and not request.photo_key:
        raise BadInput(
            "There is no photo.",
            remedy="Send one as bytes, or the key of one in the object store.",
            code="no_photo",
        )
    return avatar_id
