"""The renderers by the name that avatar bundles carry: the one place where they are opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lipstream import __version__
from lipstream.errors import BadInput
from lipstream.face.bundle import load
from lipstream.face.model import SPLATS, AvatarModel
from lipstream.render.badge import BadgedRenderer
from lipstream.render.driver import Driver
from lipstream.render.framing import framed
from lipstream.render.interface import Drawable, Renderer, View
from lipstream.render.renderer import SplatRenderer

__all__ = ["RendererKind", "open_renderer", "open_splats", "register_renderer", "renderer_kind"]


@dataclass(frozen=True, slots=True)
class RendererKind:
    """How avatars of one kind are read and drawn.

    Attributes:
        read: an avatar out of its bundle. Raises as `face.bundle.load`.
        open: a renderer of what `read` gave, in a view, with a driver or its own. Raises BadInput
            for a view that cannot be drawn.
    """

    read: Callable[[Path], Drawable]
    open: Callable[[Any, View, Driver | None], Renderer]


def open_splats(model: AvatarModel, view: View, driver: Driver | None) -> SplatRenderer:
    """A renderer on the processor. Raises as `RendererKind.open`."""
    shown = framed(model, view.framing)
    return SplatRenderer(shown, view.size_px, background=view.background, driver=driver)


_KINDS: dict[str, RendererKind] = {
    SPLATS: RendererKind(read=lambda path: load(path).model, open=open_splats)
}


def register_renderer(name: str, kind: RendererKind) -> None:
    """Add a renderer, or put another in the place of one."""
    _KINDS[name] = kind


def renderer_kind(name: object, made_by: str = "") -> RendererKind:
    """The renderer of that name.

    Args:
        name: `renderer` of a bundle's manifest.
        made_by: `generator` of the same, for the remedy.

    Raises:
        BadInput: there is none here.
    """
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise BadInput(
            f"The avatar needs the renderer {ascii(name)[:40]}, which lipstream {__version__} does "
            f"not have here; it has: {', '.join(sorted(_KINDS))}.",
            remedy=f"Install the version that made the avatar{f' ({made_by[:40]})' * bool(made_by)}"
            ", with the extra that brings this renderer.",
            code="unknown_renderer",
        )
    return kind


def open_renderer(avatar: Drawable, view: View, *, driver: Driver | None = None) -> Renderer:
    """A renderer of an avatar.

    Args:
        driver: what maps motion to the avatar's shapes; the renderer's own by default.

    Raises:
        BadInput: the avatar's renderer is not there, or cannot draw this view.
    """
    renderer = renderer_kind(avatar.renderer).open(avatar, view, driver)
    return BadgedRenderer(renderer, view.badge) if view.badge else renderer
