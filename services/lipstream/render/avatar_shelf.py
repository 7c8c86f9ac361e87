"""Avatars that were drawn lately, kept ready in memory."""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from pathlib import Path

from lipstream.errors import BadInput
from lipstream.face.model import SPLATS
from lipstream.render.interface import Drawable
from lipstream.render.registry import renderer_kind
from lipstream.runtime.avatar_library import AvatarLibrary

__all__ = ["AvatarShelf"]


class AvatarShelf:
    """The `capacity` avatars that were asked for last; one takes about 25 MB."""

    def __init__(self, library: AvatarLibrary, capacity: int = 8) -> None:
        self._library = library
        self._capacity = capacity
        self._models: OrderedDict[tuple[str, str], Drawable] = OrderedDict()
        self._lock = threading.Lock()

    def model(self, avatar_id: str) -> Drawable:
        """
        Raises:
            NotFound: there is no such avatar.
            BadInput: its bundle is damaged, of another version, or for another renderer.
        """
        manifest = self._library.entry(avatar_id).manifest
        kind = renderer_kind(manifest.get("renderer", SPLATS), str(manifest.get("generator", "")))
        # An avatar that was made again under its old name has other members.
        try:
            key = (avatar_id, str(manifest["members"]["model.npz"]["sha256"]))
        except (KeyError, TypeError):
            raise BadInput(
                f"The avatar {avatar_id!r} was made by another version of this program.",
                remedy="Delete it, and create it again.",
                code="other_version",
            ) from None
        with self._lock:
            if key in self._models:
                self._models.move_to_end(key)
                return self._models[key]
        with tempfile.TemporaryDirectory(prefix="lipstream-avatar-") as folder:
            path = Path(folder) / "bundle.zip"
            self._library.fetch(avatar_id, path)
            model = kind.read(path)
        with self._lock:
            self._models[key] = model
            while len(self._models) > self._capacity:
                self._models.popitem(last=False)
        return model
