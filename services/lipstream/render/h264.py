"""H.264 from the renderer's planes, as files and live sessions need it.

Streams say what their colours are (BT.709, limited range, chroma between the pixels), so no
player has to guess. The encoder runs on one thread: its bytes then depend on the pictures alone,
and the other cores belong to rendering.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from lipstream.errors import BadInput
from lipstream.render.scene import check_size_px
from lipstream.render.splats import Bytes

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.codeccontext import VideoCodecContext

__all__ = [
    "MAX_FPS",
    "MIN_FPS",
    "AccessUnit",
    "EncoderSettings",
    "LiveEncoder",
    "check_fps",
    "configure",
    "video_frame",
]

MIN_FPS = 1.0
MAX_FPS = 60.0
_KEYFRAME_INTERVAL_S = 2.0
_BT709 = 1  # AVCOL_PRI_BT709, AVCOL_TRC_BT709 and AVCOL_SPC_BT709 alike
_LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG


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


def configure(context: VideoCodecContext, size_px: int, rate: Fraction) -> None:
    """What every stream of ours has in common."""
    context.width = context.height = size_px
    context.pix_fmt = "yuv420p"
    context.thread_count = 1
    context.gop_size = max(1, round(_KEYFRAME_INTERVAL_S * rate))
    context.time_base = 1 / rate
    context.framerate = rate
    context.color_range = _LIMITED_RANGE
    context.color_primaries = context.color_trc = context.colorspace = _BT709


def video_frame(planes: Bytes, frame_index: int, rate: Fraction) -> VideoFrame:
    """Copy planes [3 S / 2, S] into a frame for the encoder."""
    from av import VideoFrame

    frame = VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.pts = frame_index
    frame.time_base = 1 / rate
    return frame


X264_PARAMETERS = "chromaloc=1"


class LiveEncoder:
    """Pictures in, access units out, without delay: for live sessions.

    Raises:
        BadInput: size or frame rate cannot be encoded.
    """

    def __init__(self, size_px: int, fps: float = 25.0, *, crf: int = 23) -> None:
        import av

        check_size_px(size_px)
        self._rate = check_fps(fps)
        self._frame_index = 0
        context = av.CodecContext.create("libx264", "w")
        configure(context, size_px, self._rate)
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "crf": str(crf),
            "forced-idr": "1",
            "x264-params": X264_PARAMETERS,
        }
        self._context = context

    def encode(self, planes: Bytes, *, keyframe: bool = False) -> AccessUnit:  # [3 S / 2, S]
        """Encode the next picture.

        Args:
            keyframe: start afresh here, as after a lost packet or for a new listener.
        """
        from av.video.frame import PictureType

        frame = video_frame(planes, self._frame_index, self._rate)
        if keyframe:
            frame.pict_type = PictureType.I
        packets = self._context.encode(frame)
        unit = AccessUnit(
            data=b"".join(bytes(packet) for packet in packets),
            is_keyframe=any(packet.is_keyframe for packet in packets),
            frame_index=self._frame_index,
        )
        self._frame_index += 1
        return unit
