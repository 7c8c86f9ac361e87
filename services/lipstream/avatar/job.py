"""The avatar stage's work on a job: a photo or a video in, an avatar in the library out."""

from __future__ import annotations

from datetime import UTC, datetime

from lipstream.avatar.create import create_avatar
from lipstream.avatar.quality import PoorAvatar
from lipstream.face.bundle import pack_picture
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.job_context import JobContext
from lipstream.wire.objects import REFUSED_SHEET

__all__ = ["fit_job"]


def fit_job(context: JobContext) -> None:
    """
    Raises:
        BadInput: the file cannot be used; the code says why.
        PoorAvatar: the avatar turned out too bad; its sheet lies with the job.
    """
    source = context.scratch / "source"
    context.store.get_file(context.params["photo"], source)
    try:
        manifest = create_avatar(
            AvatarLibrary(context.shared),
            context.params["avatar"],
            source,
            context.params["consent"],
            consent_by=context.params.get("consent_by", ""),
            given_at=datetime.fromtimestamp(context.job.created_ms / 1000, UTC),
            progress=lambda fraction, _: context.progress(fraction),
            confirm=context.confirm,
            scratch=context.scratch,
        )
    except PoorAvatar as refusal:
        context.confirm()
        context.store.put(REFUSED_SHEET, pack_picture(refusal.sheet))
        raise
    for note in manifest.warnings:
        context.warn(f"{note.message} {note.remedy}".strip())
    context.result("face_psnr_db", manifest.quality["face_psnr_db"])
