"""Exports of the avatars in the library, kept beside them until they are deleted."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

from lipstream import __version__
from lipstream.avatar.exports.export import ExportFormat, export_avatar
from lipstream.errors import BadInput
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import ObjectStore
from lipstream.wire.objects import avatar_prefix

__all__ = ["store_export"]


def store_export(store: ObjectStore, avatar_id: str, ending: str) -> str:
    """Write an avatar at rest into the object store, unless it is there already.

    Args:
        ending: a value of `ExportFormat`.

    Returns:
        The file's key.

    Raises:
        BadInput: there is no such format, or the avatar cannot be written in it.
        NotFound: there is no such avatar.
    """
    if ending not in list(ExportFormat):
        raise BadInput(
            f"There is no export as {ending[:20]!r}.",
            remedy=f"Choose one of: {', '.join(ExportFormat)}.",
            code="bad_format",
        )
    library = AvatarLibrary(store)
    manifest = json.dumps(library.entry(avatar_id).manifest, sort_keys=True)
    # An avatar that is made again, or a later version of this program, gives another file.
    made_from = hashlib.sha256(f"{__version__} {manifest}".encode()).hexdigest()[:16]
    key = f"{avatar_prefix(avatar_id)}/exports/{made_from}.{ending}"
    if not store.exists(key):
        with tempfile.TemporaryDirectory(prefix="lipstream-avatar-") as folder:
            path = Path(folder) / "bundle.zip"
            library.fetch(avatar_id, path)
            store.put(key, export_avatar(path, ExportFormat(ending)))
    return key
