"""From a photo's bytes to a finished avatar in the library: what the command, the jobs and the
live service have in common."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from lipstream.avatar.bundling import bundle_fit
from lipstream.avatar.fit import Progress, fit_photo
from lipstream.avatar.photo import load_photo
from lipstream.face.bundle import Consent, Manifest, pack_picture, save
from lipstream.runtime.avatar_library import AvatarLibrary

__all__ = ["create_avatar"]


def create_avatar(
    library: AvatarLibrary,
    avatar_id: str,
    photo: bytes,
    consent: str,
    *,
    progress: Progress | None = None,
    confirm: Callable[[], None] = lambda: None,
) -> Manifest:
    """Fit an avatar and add it to the library, in place of one of the same id.

    Args:
        photo: the file.
        consent: who allows this face to be used, and how.
        confirm: called before the avatar is added; what it raises keeps it out.

    Returns:
        The avatar's papers.

    Raises:
        BadInput: the photo cannot be used; the code says why.
        PoorAvatar: the avatar turned out too bad to be used; it is not added.
        Unavailable: the library cannot be written.
    """
    picture = load_photo(photo)
    result = fit_photo(picture, progress=progress)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    granted = Consent(statement=consent, by="the person who sent the photo", at=now)
    bundle = bundle_fit(avatar_id, picture, result, consent=granted)
    with tempfile.TemporaryDirectory(prefix="lipstream-avatar-") as folder:
        path = Path(folder) / "bundle.zip"
        manifest = save(bundle, path)
        confirm()
        library.add(
            avatar_id,
            path,
            manifest.to_json(),
            pack_picture(result.preview),
            pack_picture(result.sheet),
        )
    return manifest
