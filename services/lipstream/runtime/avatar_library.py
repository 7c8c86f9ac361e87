"""The finished avatars, in the object store: what the fit adds and everybody else looks up.

This file knows bundles as bytes and their manifest as a document only, so that the gateway can
list avatars without any numerics.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lipstream.errors import BadInput, NotFound, TooLarge
from lipstream.runtime.object_store import ObjectStore
from lipstream.wire.objects import avatar_prefix
from lipstream.wire.streams import checked_id
from lipstream.wire.tenants import tenant_of

__all__ = ["AvatarEntry", "AvatarLibrary"]

_BUNDLE = "bundle.zip"
_MANIFEST = "manifest.json"
_PREVIEW = "preview.png"
_SHEET = "sheet.png"
_LARGEST_MANIFEST_BYTES = 4_000_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AvatarEntry:
    """One finished avatar."""

    id: str
    manifest: dict[str, Any]
    """The bundle's manifest.json."""


class AvatarLibrary:
    """Avatars by id. Methods block.

    Raises:
        BadInput: from every method, when the id is malformed.
        BadInput: from readers, when the avatar's manifest is damaged.
        NotFound: from readers, when there is no avatar of that id.
        Unavailable: the object store does not answer.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def add(
        self,
        avatar_id: str,
        bundle: Path,
        manifest: bytes,
        preview: bytes,
        sheet: bytes | None = None,
    ) -> None:
        """Add or replace an avatar. Its manifest comes last: with it, the avatar is there.

        Args:
            bundle: the file; the others are what it holds under these names.
        """
        scope = self._store.under(avatar_prefix(avatar_id))
        scope.put_file(_BUNDLE, bundle)
        scope.put(_PREVIEW, preview)
        if sheet is not None:
            scope.put(_SHEET, sheet)
        else:  # nor that of an avatar that is replaced
            scope.delete(_SHEET)
        scope.put(_MANIFEST, manifest)

    def entry(self, avatar_id: str) -> AvatarEntry:
        key = f"{avatar_prefix(avatar_id)}/{_MANIFEST}"
        try:
            manifest = json.loads(self._store.get(key, _LARGEST_MANIFEST_BYTES))
        except (ValueError, RecursionError, TooLarge):
            manifest = None
        except NotFound:
            raise _missing(avatar_id) from None
        if not isinstance(manifest, dict):
            raise BadInput(
                f"The avatar {avatar_id!r} is damaged: its manifest cannot be read.",
                remedy="Delete it, and create it again.",
                code="damaged_avatar",
            )
        return AvatarEntry(avatar_id, manifest)

    def entries(self, tenant: str | None = None) -> list[AvatarEntry]:
        """All avatars that can be read, or a tenant's alone, in the order of their ids."""
        ids = {
            info.key.split("/")[1]
            for info in self._store.list("avatars")
            if info.key.endswith("/" + _MANIFEST)
        }
        entries = []
        for avatar_id in sorted(ids):
            if tenant not in (None, tenant_of(avatar_id)):
                continue
            try:
                entries.append(self.entry(avatar_id))
            except NotFound:  # deleted meanwhile
                continue
            except BadInput as error:
                logger.warning("an avatar is left out of the list: %s", error.message)
        return entries

    def preview(self, avatar_id: str) -> bytes:
        """The preview picture, PNG."""
        self.entry(avatar_id)
        return self._store.get(f"{avatar_prefix(avatar_id)}/{_PREVIEW}")

    def sheet(self, avatar_id: str) -> bytes:
        """Its poses side by side, PNG.

        Raises:
            NotFound: an earlier version made the avatar, without a sheet.
        """
        self.entry(avatar_id)
        try:
            return self._store.get(f"{avatar_prefix(avatar_id)}/{_SHEET}")
        except NotFound:
            raise NotFound(
                f"The avatar {avatar_id!r} has no preview sheet: an earlier version made it.",
                remedy="Create it again to have one.",
            ) from None

    def fetch(self, avatar_id: str, path: Path) -> None:
        """Write the bundle to a file."""
        self.entry(avatar_id)
        self._store.get_file(f"{avatar_prefix(avatar_id)}/{_BUNDLE}", path)

    def workspace(self, source_sha256: str) -> ObjectStore:
        """Where a fit from that file keeps what it has reached; another try goes on from there."""
        return self._store.under(f"fits/{checked_id(source_sha256)}")

    def remove(self, avatar_id: str) -> None:
        """Delete an avatar, manifest first, so that no half of it is ever seen."""
        scope = self._store.under(avatar_prefix(avatar_id))
        if not scope.exists(_MANIFEST):
            raise _missing(avatar_id)
        scope.delete(_MANIFEST)
        self._store.delete_all(avatar_prefix(avatar_id))


def _missing(avatar_id: str) -> NotFound:
    return NotFound(
        f"There is no avatar {avatar_id!r}.",
        remedy="See the list of avatars, or create it from a photo.",
    )
