"""What the pipeline asks of a renderer, whatever an avatar is made of.

Films, live streams and commands know these two protocols and no class behind them. Splats are one
implementation. Another kind of avatar, a radiance field for one, brings three things and changes
nothing else: its members in the bundle, a `Drawable` that holds them, and a `Renderer` that is
opened from it; `registry.register_renderer` puts them under the name that its bundles carry.
"""

from __future__ import annotations

from typing import Protocol

from lipstream.face.motion import Motion
from lipstream.render.pose import Pose
from lipstream.render.splats import Bytes

__all__ = ["Drawable", "Renderer"]


class Drawable(Protocol):
    """An avatar in memory. The pipeline hands it on and looks no further than its renderer."""

    @property
    def renderer(self) -> str:
        """Name of what draws it, as its bundle says."""
        ...


class Renderer(Protocol):
    """Draws one avatar at one size, on the calling thread.

    A picture that is returned may be overwritten by the next one of the same kind, unless the
    caller passed `out` or copies. More threads take a `sibling` each. A `Pose` holds the weights
    that its maker defined: only the renderer that made it, or a sibling, can draw it.
    """

    @property
    def size_px(self) -> int:
        """Side of the picture, even."""
        ...

    def sibling(self) -> Renderer:
        """Another renderer of the same avatar, for another thread, sharing what frames share."""
        ...

    def pose(self, motion: Motion, frame: int = 0) -> Pose:
        """What to draw at one frame of motion.

        Raises:
            BadInput: the motion has no such frame.
        """
        ...

    def yuv420p(self, pose: Pose, out: Bytes | None = None) -> Bytes:
        """Before its background, as planes Y, U, V one below the other: [3 S / 2, S] uint8.

        BT.709, limited range, chroma centred.
        """
        ...

    def rgb(self, pose: Pose, out: Bytes | None = None) -> Bytes:
        """Before its background: [S, S, 3] sRGB, uint8."""
        ...

    def rgba(self, pose: Pose, *, plate: bool = True) -> Bytes:
        """A new picture [S, S, 4], sRGB with straight alpha; opaque unless without `plate`."""
        ...
