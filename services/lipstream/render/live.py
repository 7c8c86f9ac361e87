"""The render stage's work on a live stream: frames of motion in, pictures out."""

from __future__ import annotations

from collections.abc import Iterator

from lipstream.errors import BadInput
from lipstream.face.controls_message import unpack_framing
from lipstream.face.motion import Motion
from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.render.background import Background, open_background
from lipstream.render.h264 import LiveEncoder, check_fps
from lipstream.render.interface import View
from lipstream.render.layout import Layout
from lipstream.v1 import common_pb2, render_pb2
from lipstream.wire.output import BLUR, NONE, PHOTO, PictureSize, is_color
from lipstream.wire.tensors import unpack_motion

__all__ = ["LiveRender"]

_DEFAULT_FPS = 25.0
_CODECS = (
    render_pb2.VIDEO_CODEC_H264,
    render_pb2.VIDEO_CODEC_RGBA,
    render_pb2.VIDEO_CODEC_YUV420P,
    render_pb2.VIDEO_CODEC_H264_ALPHA,
)
_WITH_ALPHA = (render_pb2.VIDEO_CODEC_RGBA, render_pb2.VIDEO_CODEC_H264_ALPHA)


class LiveRender:
    """One stream; see `runtime.live_lane.LiveStage`. Pictures keep the times of their motion.

    A step is one picture.

    Args:
        badge: a text that marks every picture, or nothing.
        hardware: encode on the GPU where it can.
    """

    def __init__(
        self,
        shelf: AvatarShelf,
        first: render_pb2.RenderRequest,
        *,
        badge: str = "",
        hardware: bool = False,
    ) -> None:
        config = first.config
        self._session_id = first.header.session_id
        self._fps = config.fps or _DEFAULT_FPS
        check_fps(self._fps)
        self._codec = config.codec
        if config.codec not in _CODECS:
            raise BadInput(
                "The codec is missing or unknown.",
                remedy="Choose H264, H264_ALPHA, RGBA or YUV420P.",
                code="bad_codec",
            )
        size = PictureSize(config.size_px, config.height_px or config.size_px)
        view = View(size, _background(config), unpack_framing(config.framing), badge)
        self._renderer = shelf.renderer(config.avatar_id, view)
        self._encoder: LiveEncoder | None = None
        if config.codec in (render_pb2.VIDEO_CODEC_H264, render_pb2.VIDEO_CODEC_H264_ALPHA):
            alpha = config.codec == render_pb2.VIDEO_CODEC_H264_ALPHA
            self._encoder = LiveEncoder(size, self._fps, alpha=alpha, hardware=hardware)
        self._keyframe = False
        self.begin(first.header.epoch)

    def begin(self, epoch: int) -> None:
        """The encoder goes on: a viewer sees one stream of pictures."""
        self._next_us: int | None = None

    def handle(self, request: render_pb2.RenderRequest) -> Iterator[render_pb2.RenderResponse]:
        header = request.header
        match request.WhichOneof("payload"):
            case "config":
                return
            case "frames":
                motion = Motion(fps=self._fps, **unpack_motion(request.frames))
                for frame in range(len(motion)):
                    pts_us = header.pts_us + round(frame * 1e6 / self._fps)
                    self._next_us = pts_us + round(1e6 / self._fps)
                    yield render_pb2.RenderResponse(
                        header=self._header(header.epoch, pts_us), frame=self._draw(motion, frame)
                    )
            case "keyframe":
                self._keyframe = True
            case "end":
                end_us = header.pts_us if self._next_us is None else self._next_us
                yield render_pb2.RenderResponse(
                    header=self._header(header.epoch, end_us), end=common_pb2.EndOfUtterance()
                )
            case other:
                raise BadInput(f"A render stream takes no {other or 'empty message'}.")

    def interrupted(self, request: render_pb2.RenderRequest) -> render_pb2.RenderResponse:
        # Pictures that were encoded but not sent, or that the viewer drops, leave a gap.
        self._keyframe = True
        return render_pb2.RenderResponse(header=request.header, interrupt=common_pb2.Interrupt())

    def _draw(self, motion: Motion, frame: int) -> render_pb2.VideoFrame:
        pose = self._renderer.pose(motion, frame)
        if self._codec == render_pb2.VIDEO_CODEC_RGBA:
            picture = self._renderer.picture(pose, Layout.RGBA)
            return render_pb2.VideoFrame(data=picture.tobytes(), keyframe=True)
        if self._codec == render_pb2.VIDEO_CODEC_H264_ALPHA:
            planes = self._renderer.yuva420p(pose, straight=False)
        else:
            planes = self._renderer.picture(pose, Layout.YUV420P)
        if self._encoder is None:
            return render_pb2.VideoFrame(data=planes.tobytes(), keyframe=True)
        unit = self._encoder.encode(planes, keyframe=self._keyframe)
        self._keyframe = False
        return render_pb2.VideoFrame(data=unit.data, keyframe=unit.is_keyframe)

    def _header(self, epoch: int, pts_us: int) -> common_pb2.LiveHeader:
        return common_pb2.LiveHeader(session_id=self._session_id, epoch=epoch, pts_us=pts_us)


def _background(config: render_pb2.RenderConfig) -> Background:
    """
    Raises:
        BadInput: it is unknown, or the codec and it do not agree about alpha.
    """
    with_alpha = config.codec == render_pb2.VIDEO_CODEC_H264_ALPHA
    wish = config.background or (NONE if with_alpha else PHOTO)
    if not (wish in (PHOTO, NONE, BLUR) or is_color(wish)):
        raise BadInput(
            f"A live stream takes no background {wish[:40]!r}.",
            remedy="Choose photo, none, blur or a colour such as #00ff00.",
            code="bad_background",
        )
    if wish == NONE and config.codec not in _WITH_ALPHA:
        raise BadInput(
            "Pictures of this codec cannot be transparent.",
            remedy="Choose H264_ALPHA or RGBA, or a background.",
            code="no_alpha",
        )
    return open_background(wish)
