"""Avatars that were drawn lately, kept ready in memory."""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from lipstream.errors import BadInput
from lipstream.face.model import SPLATS
from lipstream.render.interface import Drawable, Renderer, View
from lipstream.render.registry import RendererKind, open_renderer, renderer_kind
from lipstream.render.shared_view import SharedView
from lipstream.runtime.avatar_library import AvatarLibrary

__all__ = ["AvatarShelf"]


@dataclass(frozen=True, slots=True)
class _Made:
    """An avatar as it was made: made again under its old name, it is another."""

    avatar_id: str
    model_sha256: str
    kind: RendererKind


class AvatarShelf:
    """The `capacity` avatars that were asked for last, about 25 MB each, and what draws them.

    Args:
        idle_views: how many views that nobody draws any more are kept for whoever comes next;
            the others go when the next view is asked for.
    """

    def __init__(self, library: AvatarLibrary, capacity: int = 8, idle_views: int = 4) -> None:
        self._library = library
        self._capacity = capacity
        self._idle_views = idle_views
        self._models: OrderedDict[_Made, Drawable] = OrderedDict()
        self._views: OrderedDict[tuple[_Made, View], SharedView] = OrderedDict()
        self._lock = threading.Lock()

    def model(self, avatar_id: str) -> Drawable:
        """
        Raises:
            NotFound: there is no such avatar.
            BadInput: its bundle is damaged, of another version, or for another renderer.
        """
        return self._model(self._made(avatar_id))

    def renderer(self, avatar_id: str, view: View) -> Renderer:
        """A renderer for one thread. All that draw the same avatar in the same view share what
        their frames share, about 15 MB, and lay it out once.

        Args:
            view: before a background that is not a file, which may change under its name.

        Raises:
            NotFound: as `model`.
            BadInput: as `model`, or the avatar cannot be drawn in this view.
        """
        made = self._made(avatar_id)
        key = made, view
        with self._lock:
            shared = self._views.setdefault(key, SharedView())
            self._views.move_to_end(key)
        try:
            return shared.renderer(lambda: open_renderer(self._model(made), view))
        finally:
            self._drop_idle_views()

    def _made(self, avatar_id: str) -> _Made:
        manifest = self._library.entry(avatar_id).manifest
        kind = renderer_kind(manifest.get("renderer", SPLATS), str(manifest.get("generator", "")))
        try:
            return _Made(avatar_id, str(manifest["members"]["model.npz"]["sha256"]), kind)
        except (KeyError, TypeError):
            raise BadInput(
                f"The avatar {avatar_id!r} was made by another version of this program.",
                remedy="Delete it, and create it again.",
                code="other_version",
            ) from None

    def _model(self, made: _Made) -> Drawable:
        with self._lock:
            if made in self._models:
                self._models.move_to_end(made)
                return self._models[made]
        with tempfile.TemporaryDirectory(prefix="lipstream-avatar-") as folder:
            path = Path(folder) / "bundle.zip"
            self._library.fetch(made.avatar_id, path)
            model = made.kind.read(path)
        with self._lock:
            self._models[made] = model
            while len(self._models) > self._capacity:
                self._models.popitem(last=False)
        return model

    def _drop_idle_views(self) -> None:
        with self._lock:
            idle = [key for key, shared in self._views.items() if not shared.in_use]
            for key in idle[: max(0, len(idle) - self._idle_views)]:
                del self._views[key]
