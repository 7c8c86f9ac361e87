"""From a photo or a video to a finished avatar in the library: what the command, the jobs and the
live service have in common."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from lipstream.avatar.bundling import bundle_fit, bundle_video
from lipstream.avatar.fit import Progress, fit_photo
from lipstream.avatar.photo import load_photo
from lipstream.avatar.video.checkpoint import Checkpoint
from lipstream.avatar.video.fit import fit_video
from lipstream.avatar.video.footage import is_video, sha256_of
from lipstream.errors import BadInput
from lipstream.face.bundle import Consent, Manifest, pack_picture, save
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.wire.tenants import avatar_name

__all__ = ["create_avatar"]


def create_avatar(
    library: AvatarLibrary,
    avatar_id: str,
    source: bytes | Path,
    consent: str,
    *,
    consent_by: str = "",
    given_at: datetime | None = None,
    progress: Progress | None = None,
    confirm: Callable[[], None] = lambda: None,
    scratch: Path | None = None,
) -> Manifest:
    """Fit an avatar and add it to the library, in place of one of the same id.

    A video whose fit was stopped goes on where it was.

    Args:
        avatar_id: the full id; the bundle holds the name alone.
        source: the file: a photo or a video, told apart by what it holds.
        consent: who allows this face to be used, and how; without it none is recorded.
        consent_by: who says so; by default whoever sent the file.
        given_at: when; now by default.
        confirm: called before the avatar is added; what it raises keeps it out.
        scratch: where temporary files lie for a while; by default where the system has its own.

    Returns:
        The avatar's papers.

    Raises:
        BadInput: the file cannot be used; the code says why.
        PoorAvatar: the avatar turned out too bad to be used; it is not added.
        Unavailable: the library cannot be written.
    """
    name = avatar_name(avatar_id)
    with tempfile.TemporaryDirectory(prefix="lipstream-avatar-", dir=scratch) as folder:
        path = Path(folder) / "source"
        granted = _granted(consent, consent_by, given_at)
        if isinstance(source, Path):
            path = source
        else:
            path.write_bytes(source)
        checkpoint = Checkpoint()
        if is_video(path):
            checkpoint = Checkpoint(library.workspace(sha256_of(path)))
            try:
                video = fit_video(path, progress=progress, checkpoint=checkpoint)
            except BadInput:  # another try would end the same: nothing of the face is kept
                checkpoint.clear()
                raise
            bundle = bundle_video(name, video, consent=granted)
        else:
            photo = load_photo(path)
            fit = fit_photo(photo, progress=progress)
            bundle = bundle_fit(name, photo, fit, consent=granted)
        packed = Path(folder) / "bundle.zip"
        manifest = save(bundle, packed)
        confirm()
        sheet = None if bundle.sheet is None else pack_picture(bundle.sheet)
        library.add(avatar_id, packed, manifest.to_json(), pack_picture(bundle.preview), sheet)
        checkpoint.clear()
    return manifest


def _granted(statement: str, by: str, given_at: datetime | None) -> Consent | None:
    if not statement:
        return None
    moment = (given_at or datetime.now(UTC)).isoformat(timespec="seconds")
    return Consent(statement=statement, by=by or "the person who sent the file", at=moment)
