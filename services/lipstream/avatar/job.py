"""The avatar stage's work on a job: a photo or a video in, an avatar in the library out."""

from __future__ import annotations

from lipstream.avatar.create import create_avatar
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.job_context import JobContext

__all__ = ["fit_job"]


def fit_job(context: JobContext) -> None:
    """
    Raises:
        BadInput: the file cannot be used; the code says why.
    """
    source = context.scratch / "source"
    context.store.get_file(context.params["photo"], source)
    manifest = create_avatar(
        AvatarLibrary(context.shared),
        context.params["avatar"],
        source,
        context.params["consent"],
        progress=lambda fraction, _: context.progress(fraction),
        confirm=context.confirm,
    )
    for note in manifest.warnings:
        context.warn(note.message)
    context.result("face_psnr_db", manifest.quality["face_psnr_db"])
