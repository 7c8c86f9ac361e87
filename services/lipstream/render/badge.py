"""A visible mark on every picture, for viewers who must know that a face was generated."""

from __future__ import annotations

import functools

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.motion import Motion
from lipstream.render.color import rgb_to_yuv420p
from lipstream.render.interface import Renderer
from lipstream.render.layout import Layout
from lipstream.render.pose import Pose
from lipstream.render.splats import Bytes
from lipstream.wire.output import PictureSize

__all__ = ["LONGEST_BADGE", "BadgedRenderer", "badge_picture"]

LONGEST_BADGE = 40
_INK, _GROUND = (255, 255, 255), (24, 24, 24)
_HEIGHT_SHARE = 24
"""The text's height is the picture's width divided by this."""
_SMALLEST_TEXT_PX = 9


class BadgedRenderer(Renderer):
    """Draws as another renderer does, with a text in the lower left corner of each picture."""

    def __init__(self, inner: Renderer, text: str) -> None:
        self._inner = inner
        self._text = text
        self._badge = badge_picture(text, inner.size)
        self._planes = rgb_to_yuv420p(self._badge)
        self._margin_px = _even(inner.size.width_px // 40)

    @property
    def size(self) -> PictureSize:
        return self._inner.size

    def sibling(self) -> Renderer:
        return BadgedRenderer(self._inner.sibling(), self._text)

    def pose(self, motion: Motion, frame: int = 0) -> Pose:
        return self._inner.pose(motion, frame)

    def picture(
        self, pose: Pose, layout: Layout, out: Bytes | None = None, behind: Bytes | None = None
    ) -> Bytes:
        return self._marked(self._inner.picture(pose, layout, out, behind), layout)

    def yuva420p(self, pose: Pose, *, straight: bool = True) -> Bytes:
        return self._marked(self._inner.yuva420p(pose, straight=straight), Layout.YUVA420P)

    def _marked(self, picture: Bytes, layout: Layout) -> Bytes:
        height, width = self._badge.shape[:2]
        frame_height, left = self.size.height_px, self._margin_px
        top = frame_height - self._margin_px - height
        if layout in (Layout.RGB, Layout.RGBA):
            corner = picture[top : top + height, left : left + width]
            corner[..., :3] = self._badge
            corner[..., 3:] = 255
            return picture
        luma, *differences = self._planes
        picture[top : top + height, left : left + width] = luma
        chroma = picture[frame_height : frame_height * 3 // 2]
        for plane, own in zip(chroma.reshape(2, frame_height // 2, -1), differences, strict=True):
            plane[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2] = own
        if layout is Layout.YUVA420P:
            alpha = picture[frame_height * 3 // 2 :]
            alpha[top : top + height, left : left + width] = 255
        return picture


@functools.lru_cache(maxsize=32)
def badge_picture(text: str, size: PictureSize) -> Bytes:  # [h, w, 3]
    """The text on its ground, sRGB, with even sides, for a picture of that size.

    Raises:
        BadInput: it has no letter, or too many to fit.
    """
    from PIL import Image, ImageDraw, ImageFont

    if not text.strip() or len(text) > LONGEST_BADGE or not text.isprintable():
        raise BadInput(
            f"A badge has 1 to {LONGEST_BADGE} letters.", remedy="Correct LIPSTREAM_BADGE."
        )
    room_px = size.width_px - 2 * _even(size.width_px // 40)
    text_px = max(_SMALLEST_TEXT_PX, size.width_px // _HEIGHT_SHARE)
    while True:
        font = ImageFont.load_default(text_px)
        left, top, right, bottom = font.getbbox(text)
        pad_px = text_px // 2
        width, height = _even(right - left + 2 * pad_px), _even(bottom - top + pad_px)
        if width <= room_px or text_px <= _SMALLEST_TEXT_PX:
            break
        text_px = max(_SMALLEST_TEXT_PX, text_px * room_px // width - 1)
    picture = Image.new("RGB", (min(width, _even(room_px)), height), _GROUND)
    ImageDraw.Draw(picture).text((pad_px - left, pad_px // 2 - top), text, _INK, font)
    return np.asarray(picture, np.uint8)


def _even(length: float) -> int:
    return int(length) // 2 * 2
