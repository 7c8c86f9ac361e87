"""The avatar stage's work on a job: a photo in, an avatar in the library out."""

from __future__ import annotations

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
        BadInput: the photo cannot be used; the code says why.
        PoorAvatar: the avatar turned out too bad; its sheet lies with the job.
    """
    try:
        manifest = create_avatar(
            AvatarLibrary(context.shared),
            context.params["avatar"],
            context.store.get(context.params["photo"]),
            context.params["consent"],
            progress=lambda fraction, _: context.progress(fraction),
            confirm=context.confirm,
        )
    except PoorAvatar as refusal:
        context.confirm()
        context.store.put(REFUSED_SHEET, pack_picture(refusal.sheet))
        raise
    for note in manifest.warnings:
        context.warn(f"{note.message} {note.remedy}".strip())
    context.result("face_psnr_db", manifest.quality["face_psnr_db"])
