"""What the pipeline asks of a renderer, whatever an avatar is made of.

Films, live streams and commands know these two protocols and no class behind them. Splats are one
implementation. Another kind of avatar, a radiance field for one, brings three things and changes
nothing else: its members in the bundle, a `Drawable` that holds them, and a `Renderer` that is
opened from it; `registry.register_renderer` puts them under the name that its bundles carry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from lipstream.face.face_controls import Framing
from lipstream.face.motion import Motion
from lipstream.render.background import Background
from lipstream.render.layout import Layout
from lipstream.render.pose import Pose
from lipstream.render.splats import Bytes
from lipstream.wire.output import PictureSize

__all__ = ["Drawable", "Renderer", "View"]


@dataclass(frozen=True, slots=True)
class View:
    """What a renderer shows of an avatar.

    Attributes:
        size_px: side of a square picture, or its width and height.
        background: what stands behind the person; the photo's own by default.
        framing: the part of the picture that is shown.
        badge: a text that marks every picture, or nothing.
    """

    size_px: int | PictureSize
    background: Background | None = None
    framing: Framing = field(default_factory=Framing)
    badge: str = ""


class Drawable(Protocol):
    """An avatar in memory. The pipeline hands it on and looks no further than its renderer."""

    @property
    def renderer(self) -> str:
        """Name of what draws it, as its bundle says."""
        ...


class Renderer(Protocol):
    """Draws one avatar in one view, on the calling thread.

    A picture that is returned may be overwritten by the next one of the same kind, unless the
    caller passed `out` or copies. More threads take a `sibling` each. A `Pose` holds the weights
    that its maker defined: only the renderer that made it, or a sibling, can draw it. Weak
    references to it must be possible: they tell whether anybody still draws.
    """

    @property
    def size(self) -> PictureSize: ...

    def sibling(self) -> Renderer:
        """Another renderer of the same avatar, for another thread, sharing what frames share."""
        ...

    def pose(self, motion: Motion, frame: int = 0) -> Pose:
        """What to draw at one frame of motion.

        Raises:
            BadInput: the motion has no such frame.
        """
        ...

    def picture(
        self, pose: Pose, layout: Layout, out: Bytes | None = None, behind: Bytes | None = None
    ) -> Bytes:
        """Before its background, in any layout.

        Args:
            behind: the background of this frame `# [H, W, 3]` sRGB, instead of the view's.
        """
        ...

    def yuva420p(self, pose: Pose, *, straight: bool = True) -> Bytes:
        """As `Layout.YUVA420P`.

        Args:
            straight: colours as they are; otherwise over black, that is times alpha.
        """
        ...
