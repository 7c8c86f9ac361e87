"""What all of our video streams have in common, and H.264 for live sessions.

Streams say what their colours are (BT.709, limited range, chroma between the pixels), so no
player has to guess. The encoder runs on one thread: its bytes then depend on the pictures alone,
and the other cores belong to rendering.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from lipstream.errors import BadInput
from lipstream.render.layout import Layout, fill
from lipstream.render.splats import Bytes
from lipstream.wire.output import PictureSize

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

__all__ = [
    "MAX_FPS",
    "MIN_FPS",
    "AccessUnit",
    "EncoderSettings",
    "LiveEncoder",
    "annex_b",
    "check_fps",
    "configure",
    "side_by_side",
]

logger = logging.getLogger(__name__)

MIN_FPS = 1.0
MAX_FPS = 60.0
_KEYFRAME_INTERVAL_S = 2.0
_BT709 = 1  # AVCOL_PRI_BT709, AVCOL_TRC_BT709 and AVCOL_SPC_BT709 alike
_LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG
_GREY = 128
_LIMITED = np.rint(16 + np.arange(256) * (219 / 255)).astype(np.uint8)
"""Alpha 0..255 as luma."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How x264 trades time for size. The defaults are for files."""

    preset: str = "veryfast"
    crf: int = 20
    """Constant rate factor: lower is better and larger; 18 is hard to tell from the source."""


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded picture, in Annex B."""

    data: bytes
    is_keyframe: bool
    frame_index: int


def check_fps(fps: float) -> Fraction:
    """The frame rate as encoders take it.

    Raises:
        BadInput: it is out of range.
    """
    if not MIN_FPS <= fps <= MAX_FPS:
        raise BadInput(
            f"A frame rate of {fps:g} per second cannot be made.",
            remedy=f"Choose one from {MIN_FPS:g} to {MAX_FPS:g}.",
        )
    return Fraction(fps).limit_denominator(1001)


def configure(
    context: VideoCodecContext,
    width_px: int,
    height_px: int,
    rate: Fraction,
    pix_fmt: str = Layout.YUV420P,
) -> None:
    """What every stream of ours has in common."""
    context.width, context.height = width_px, height_px
    context.pix_fmt = pix_fmt
    context.thread_count = 1
    context.gop_size = max(1, round(_KEYFRAME_INTERVAL_S * rate))
    context.time_base = 1 / rate
    context.framerate = rate
    context.color_range = _LIMITED_RANGE
    context.color_primaries = context.color_trc = context.colorspace = _BT709


X264_PARAMETERS = "chromaloc=1"
_START_CODE = b"\0\0\0\1"


def annex_b(unit: bytes) -> bytes:
    """An access unit as encoders give it, from one as it lies in an MP4 file: start codes in the
    place of lengths (ISO/IEC 14496-15, of four bytes)."""
    out = bytearray(unit)
    at = 0
    while at + 4 <= len(out):
        length = int.from_bytes(out[at : at + 4], "big")
        out[at : at + 4] = _START_CODE
        at += 4 + length
    return bytes(out)


class LiveEncoder:
    """Pictures in, access units out, without delay: for live sessions.

    Args:
        size_px: side of a square picture, or its width and height.
        alpha: take pictures with alpha, and send them as one picture of twice the width: on the
            left the colours over black, that is times alpha, on the right alpha as grey (luma
            16 is transparent, 235 opaque; players give it as 0 to 255 in each of R, G and B).
            Over a background: `left + (1 - right) * background`.
        quantizer: constant, lower is better and larger. It spares x264 a look at every picture
            by which it would choose one, a fifth of its time.
        hardware: use the GPU's encoder (NVENC) where this machine and its driver have one.

    Raises:
        BadInput: size or frame rate cannot be encoded.
    """

    def __init__(
        self,
        size_px: int | PictureSize,
        fps: float = 25.0,
        *,
        quantizer: int = 22,
        alpha: bool = False,
        hardware: bool = False,
    ) -> None:
        from av import VideoFrame

        size = PictureSize.of(size_px)
        self._rate = check_fps(fps)
        self._alpha = alpha
        self._frame_index = 0
        width_px = size.width_px * (2 if alpha else 1)
        context = _nvenc(width_px, size.height_px, self._rate, quantizer) if hardware else None
        self._context = context or _x264(width_px, size.height_px, self._rate, quantizer)
        self._frame = VideoFrame(width_px, size.height_px, Layout.YUV420P)
        self._frame.time_base = 1 / self._rate

    @property
    def codec(self) -> str:
        """FFmpeg's name of the encoder."""
        return self._context.name

    def encode(self, planes: Bytes, *, keyframe: bool = False) -> AccessUnit:
        """Encode the next picture.

        Args:
            planes: `# [3 H / 2, W]`; with alpha `# [5 H / 2, W]`, colours over black.
            keyframe: start afresh here, as after a lost packet or for a new listener.
        """
        from av.video.frame import PictureType

        frame = self._frame  # the encoder has copied the last picture out of it, or we do
        frame.make_writable()
        fill(frame, side_by_side(planes) if self._alpha else planes)
        frame.pts = self._frame_index
        frame.pict_type = PictureType.I if keyframe else PictureType.NONE
        packets = self._context.encode(frame)
        unit = AccessUnit(
            data=b"".join(bytes(packet) for packet in packets),
            is_keyframe=any(packet.is_keyframe for packet in packets),
            frame_index=self._frame_index,
        )
        self._frame_index += 1
        return unit


def _x264(width_px: int, height_px: int, rate: Fraction, quantizer: int) -> VideoCodecContext:
    import av

    context = av.CodecContext.create("libx264", "w")
    configure(context, width_px, height_px, rate)
    context.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "qp": str(quantizer),
        "forced-idr": "1",
        "x264-params": X264_PARAMETERS,
    }
    return context


def _nvenc(
    width_px: int, height_px: int, rate: Fraction, quantizer: int
) -> VideoCodecContext | None:
    """NVIDIA's encoder; None where PyAV, the driver or the GPU does not have it, or has no room
    for one more stream."""
    import av

    try:
        context = av.CodecContext.create("h264_nvenc", "w")
        configure(context, width_px, height_px, rate)
        context.max_b_frames = 0
        context.options = {
            "preset": "p1",
            "tune": "ull",
            "rc": "vbr",
            "cq": str(quantizer),
            "zerolatency": "1",
            "delay": "0",
            "forced-idr": "1",
        }
        context.open()
    except av.FFmpegError as error:
        logger.info("no NVENC for this stream", extra={"reason": str(error)})
        return None
    return context


def side_by_side(planes: Bytes) -> Bytes:  # [5 H / 2, W] -> [3 H / 2, 2 W]
    """Colours on the left, alpha as grey of limited range on the right; see `LiveEncoder`."""
    height, width = planes.shape[0] * 2 // 5, planes.shape[1]
    out = np.full((height * 3 // 2, 2 * width), _GREY, np.uint8)
    out[:height, :width] = planes[:height]
    out[:height, width:] = _LIMITED[planes[height * 3 // 2 :]]
    half = height // 2, width // 2
    chroma = out[height:].reshape(2, half[0], width)
    chroma[..., : half[1]] = planes[height : height * 3 // 2].reshape(2, *half)
    return out
