"""What a finished video is like as a picture and as a file, in words that every service knows.

Frontends read them from their users and jobs carry them; what they look like is the render
stage's part. Nothing here needs numerics, so the gateway can refuse what cannot be made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from lipstream.errors import BadInput

__all__ = [
    "BLUR",
    "MAX_HEIGHT_PX",
    "MAX_SIZE_PX",
    "MIN_SIZE_PX",
    "NONE",
    "PHOTO",
    "UPLOAD",
    "FilmFormat",
    "Output",
    "PictureSize",
    "is_color",
]

MIN_SIZE_PX = 64
MAX_SIZE_PX = 1080
"""Of the width."""
MAX_HEIGHT_PX = 1920
_TALLEST = 2
"""Height over width: beyond, the face would be wider than the picture."""

PHOTO = "photo"
"""The background of the avatar's own photo."""
NONE = "none"
"""No background: the person alone, with alpha."""
BLUR = "blur"
"""The photo's background, out of focus."""
UPLOAD = "upload"
"""In a job: the object `background`, a picture or a video."""

_SIZE = re.compile(r"([0-9]{1,5})(?:x([0-9]{1,5}))?")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


class FilmFormat(StrEnum):
    """A kind of file, by the ending of its name."""

    MP4 = "mp4"
    """H.264 and AAC: plays everywhere."""
    WEBM = "webm"
    """VP9 and Opus: transparent in browsers."""
    MOV = "mov"
    """ProRes 4444 and PCM: for editing."""
    PNG = "png"
    """A picture a frame and a WAV file, in a ZIP archive or a folder."""

    @property
    def has_alpha(self) -> bool:
        return self is not FilmFormat.MP4

    @property
    def ending(self) -> str:
        """Of a file's name, with its dot."""
        return ".zip" if self is FilmFormat.PNG else f".{self.value}"

    @property
    def media_type(self) -> str:
        return {
            FilmFormat.MP4: "video/mp4",
            FilmFormat.WEBM: "video/webm",
            FilmFormat.MOV: "video/quicktime",
            FilmFormat.PNG: "application/zip",
        }[self]

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Raises:
            BadInput: there is no such format.
        """
        try:
            return cls(text)
        except ValueError:
            raise BadInput(
                f"There is no format {text[:40]!r}.",
                remedy=f"Choose one of {', '.join(cls)}.",
                code="bad_format",
            ) from None


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Width and height of a picture, square or upright.

    Raises:
        BadInput: a side is odd or out of range, or the picture is wider than high.
    """

    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        width, height = self.width_px, self.height_px
        even = width % 2 == 0 and height % 2 == 0
        if not (even and MIN_SIZE_PX <= width <= MAX_SIZE_PX and height <= MAX_HEIGHT_PX):
            raise BadInput(
                f"A picture of {self} pixels cannot be made.",
                remedy=f"Choose an even size from {MIN_SIZE_PX} to {MAX_SIZE_PX}, "
                f"or an even width and height such as 720x1280.",
                code="bad_size",
            )
        if not width <= height <= _TALLEST * width:
            raise BadInput(
                f"A picture of {self} pixels cannot be made.",
                remedy="Choose a square or an upright picture, at most twice as high as wide.",
                code="bad_size",
            )

    def __str__(self) -> str:
        square = self.width_px == self.height_px
        return f"{self.width_px}" if square else f"{self.width_px}x{self.height_px}"

    @classmethod
    def of(cls, size: int | PictureSize) -> PictureSize:
        """`size`, or the square of that side."""
        return cls(size, size) if isinstance(size, int) else size

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `512` or `720x1280`.

        Raises:
            BadInput: it is neither, or cannot be made.
        """
        match = _SIZE.fullmatch(text.strip())
        if match is None:
            raise BadInput(
                f"{text[:40]!r} is no size of a picture.",
                remedy="Write it as 512, or as 720x1280.",
                code="bad_size",
            )
        return cls(int(match[1]), int(match[2] or match[1]))


@dataclass(frozen=True, slots=True)
class Output:
    """What a caller wants to get.

    Attributes:
        background: `photo`, `none`, `blur`, a colour `#RRGGBB`, or what names a file: `upload` in
            a job, a path on the command line.

    Raises:
        BadInput: without a background, the format must have alpha.
    """

    size: PictureSize = field(default_factory=lambda: PictureSize(512, 512))
    format: FilmFormat = FilmFormat.MP4
    background: str = PHOTO

    def __post_init__(self) -> None:
        if self.background == NONE and not self.format.has_alpha:
            able = ", ".join(other for other in FilmFormat if other.has_alpha)
            raise BadInput(
                f"Files of the format {self.format} cannot be transparent.",
                remedy=f"Choose one of {able}, or a colour such as #00ff00 as the background.",
                code="no_alpha",
            )

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Self:
        """From a job's parameters, which may lack what they did not change.

        Raises:
            BadInput: a value cannot be used.
        """
        return cls(
            PictureSize.parse(str(params.get("size", 512))),
            FilmFormat.parse(str(params.get("format", FilmFormat.MP4))),
            str(params.get("background", PHOTO)),
        )


def is_color(text: str) -> bool:
    """Whether it is a colour, `#RRGGBB`."""
    return _COLOR.fullmatch(text) is not None
