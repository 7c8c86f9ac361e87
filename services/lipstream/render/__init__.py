"""From motion to pictures and video: splats, compositing, encoding."""

from lipstream.render.adjoint import ColorMap, Gathered
from lipstream.render.driver import Driver, FaceDriver
from lipstream.render.film import FilmOptions, FilmStats, render_video
from lipstream.render.h264 import AccessUnit, EncoderSettings, LiveEncoder
from lipstream.render.interface import Drawable, Renderer
from lipstream.render.pose import Pose
from lipstream.render.registry import RendererKind, open_renderer, register_renderer
from lipstream.render.renderer import SplatRenderer
from lipstream.render.retime import retime
from lipstream.render.scene import MAX_SIZE_PX, MIN_SIZE_PX, check_size_px
from lipstream.render.video import VideoWriter
from lipstream.render.warmup import warm_up

__all__ = [
    "MAX_SIZE_PX",
    "MIN_SIZE_PX",
    "AccessUnit",
    "ColorMap",
    "Drawable",
    "Driver",
    "EncoderSettings",
    "FaceDriver",
    "FilmOptions",
    "FilmStats",
    "Gathered",
    "LiveEncoder",
    "Pose",
    "Renderer",
    "RendererKind",
    "SplatRenderer",
    "VideoWriter",
    "check_size_px",
    "open_renderer",
    "register_renderer",
    "render_video",
    "retime",
    "warm_up",
]
