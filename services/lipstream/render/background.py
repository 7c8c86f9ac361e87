"""What stands behind the person: the photo's own background, another one, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from lipstream.render.clip import Footage, open_clip
from lipstream.render.plate import Cutout, Plate
from lipstream.render.splats import Bytes
from lipstream.wire.output import BLUR, NONE, PHOTO, is_color

__all__ = [
    "Background",
    "BlurredBackground",
    "ClipBackground",
    "ColorBackground",
    "NoBackground",
    "PhotoBackground",
    "open_background",
]

_BLUR = 0.03
"""Of the picture's height, as a lens of portraits would."""


class Background(Protocol):
    """What a plate is made with. Shared by threads; keeps no state."""

    @property
    def transparent(self) -> bool:
        """Whether pictures need alpha."""
        ...

    def plate(self, cutout: Cutout) -> Plate:
        """The plate of the first frame, and of all where nothing moves.

        Raises:
            BadInput: the avatar does not know its person from its background.
        """
        ...

    def behind(self, cutout: Cutout) -> Bytes | None:  # [H, W, 3]
        """The background of that plate alone; None where there is none. Raises as `plate`."""
        ...


@dataclass(frozen=True, slots=True)
class PhotoBackground:
    """The photo's own."""

    transparent: bool = field(default=False, init=False)

    def plate(self, cutout: Cutout) -> Plate:
        return Plate.of(cutout.photo)

    def behind(self, cutout: Cutout) -> Bytes:
        return cutout.background


@dataclass(frozen=True, slots=True)
class NoBackground:
    """The person alone."""

    transparent: bool = field(default=True, init=False)

    def plate(self, cutout: Cutout) -> Plate:
        return cutout.alone()

    def behind(self, cutout: Cutout) -> None:
        return None


@dataclass(frozen=True, slots=True)
class BlurredBackground:
    """The photo's own, out of focus."""

    transparent: bool = field(default=False, init=False)

    def plate(self, cutout: Cutout) -> Plate:
        return cutout.over(self.behind(cutout))

    def behind(self, cutout: Cutout) -> Bytes:
        return cutout.defocused(_BLUR * cutout.photo.shape[0])


@dataclass(frozen=True, slots=True)
class ColorBackground:
    """One colour."""

    rgb: tuple[int, int, int]  # sRGB
    transparent: bool = field(default=False, init=False)

    def plate(self, cutout: Cutout) -> Plate:
        return cutout.over(self.behind(cutout))

    def behind(self, cutout: Cutout) -> Bytes:
        return np.full_like(cutout.photo, self.rgb)


@dataclass(frozen=True, slots=True)
class ClipBackground:
    """A picture or a video, which begins again where it ends; it covers the picture."""

    clip: Footage
    transparent: bool = field(default=False, init=False)

    def plate(self, cutout: Cutout) -> Plate:
        return cutout.over(self.behind(cutout))

    def behind(self, cutout: Cutout) -> Bytes:
        return self.clip.first(cutout.size)


def open_background(wish: str, upload: Path | None = None) -> Background:
    """What a caller asked for.

    Args:
        wish: `photo`, `none`, `blur`, `#RRGGBB`, or the path of a picture or a video.
        upload: a file that anybody may have sent, where the wish does not name one.

    Raises:
        NotFound: there is no such file.
        BadInput: it is neither a picture nor a video that can be used.
    """
    if upload is not None:
        from lipstream.render.gate import BoundedClip  # brings what services run on

        return ClipBackground(BoundedClip.open(upload))
    match wish:
        case _ if wish == PHOTO:
            return PhotoBackground()
        case _ if wish == NONE:
            return NoBackground()
        case _ if wish == BLUR:
            return BlurredBackground()
        case _ if is_color(wish):
            red, green, blue = bytes.fromhex(wish[1:])
            return ColorBackground((red, green, blue))
    return ClipBackground(open_clip(Path(wish), f"The background {wish}"))
