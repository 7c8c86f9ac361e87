"""The renderers by the name that avatar bundles carry: the one place where they are opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lipstream import __version__
from lipstream.errors import BadInput
from lipstream.face.bundle import load
from lipstream.face.model import SPLATS
from lipstream.render.driver import Driver
from lipstream.render.interface import Drawable, Renderer
from lipstream.render.renderer import SplatRenderer

__all__ = ["RendererKind", "open_renderer", "register_renderer", "renderer_kind"]


@dataclass(frozen=True, slots=True)
class RendererKind:
    """How avatars of one kind are read and drawn.

    Attributes:
        read: an avatar out of its bundle. Raises as `face.bundle.load`.
        open: a renderer of what `read` gave, at a size in pixels, with a driver or its own. Raises
            BadInput for a size that cannot be drawn.
    """

    read: Callable[[Path], Drawable]
    open: Callable[[Any, int, Driver | None], Renderer]


_KINDS: dict[str, RendererKind] = {
    SPLATS: RendererKind(
        read=lambda path: load(path).model,
        open=lambda model, size_px, driver: SplatRenderer(model, size_px, driver=driver),
    )
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


def open_renderer(avatar: Drawable, size_px: int, *, driver: Driver | None = None) -> Renderer:
    """A renderer of an avatar.

    Args:
        driver: what maps motion to the avatar's shapes; the renderer's own by default.

    Raises:
        BadInput: the avatar's renderer is not there, or the size cannot be drawn.
    """
    return renderer_kind(avatar.renderer).open(avatar, size_px, driver)
