"""How a picture lies in memory, between the renderer that draws it and what encodes it."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from lipstream.render.splats import Bytes
from lipstream.wire.output import PictureSize

if TYPE_CHECKING:
    from av import VideoFrame

__all__ = ["Layout", "fill", "video_frame"]

_BT709 = 1  # AVCOL_SPC_BT709
_LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG


class Layout(StrEnum):
    """FFmpeg's name of a pixel format. Alpha is straight, video colours are BT.709, limited."""

    YUV420P = "yuv420p"
    """[3 H / 2, W]: planes Y, U, V one below the other."""
    YUVA420P = "yuva420p"
    """[5 H / 2, W]: the same, then alpha."""
    RGB = "rgb24"
    """[H, W, 3] sRGB."""
    RGBA = "rgba"
    """[H, W, 4] sRGB, then alpha."""

    def shape(self, size: PictureSize) -> tuple[int, ...]:
        height, width = size.height_px, size.width_px
        match self:
            case Layout.YUV420P:
                return height * 3 // 2, width
            case Layout.YUVA420P:
                return height * 5 // 2, width
            case Layout.RGB:
                return height, width, 3
            case Layout.RGBA:
                return height, width, 4


def video_frame(
    picture: Bytes, layout: Layout, frame_index: int, rate: Fraction, pix_fmt: str | None = None
) -> VideoFrame:
    """Copy a picture into a frame for an encoder.

    Args:
        pix_fmt: what the encoder takes; the layout itself by default.
    """
    from av import VideoFrame

    if layout is Layout.YUVA420P:
        frame = _with_alpha(picture)
    else:
        frame = VideoFrame.from_ndarray(picture, format=layout.value)
    if pix_fmt not in (None, layout.value):
        frame = frame.reformat(
            format=pix_fmt,
            src_color_range=_FULL_RANGE,
            dst_color_range=_LIMITED_RANGE,
            dst_colorspace=_BT709,
        )
    frame.pts = frame_index
    frame.time_base = 1 / rate
    return frame


def fill(frame: VideoFrame, planes: Bytes) -> None:
    """Copy planes, one below the other, into a frame that has the same ones."""
    flat = planes.reshape(-1)
    begin = 0
    for plane in frame.planes:
        end = begin + plane.width * plane.height
        rows = np.asarray(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        rows[: plane.height, : plane.width] = flat[begin:end].reshape(plane.height, plane.width)
        begin = end


def _with_alpha(picture: Bytes) -> VideoFrame:  # [5 H / 2, W]
    from av import VideoFrame

    frame = VideoFrame(picture.shape[1], picture.shape[0] * 2 // 5, "yuva420p")
    fill(frame, picture)
    return frame
