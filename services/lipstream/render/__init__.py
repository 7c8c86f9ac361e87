"""From motion to pictures and video: splats, compositing, encoding."""

from lipstream.render.adjoint import ColorMap, Gathered
from lipstream.render.background import Background, open_background
from lipstream.render.driver import Driver, FaceDriver
from lipstream.render.film import FilmOptions, FilmStats, render_video
from lipstream.render.h264 import AccessUnit, EncoderSettings, LiveEncoder
from lipstream.render.interface import Drawable, Renderer, View
from lipstream.render.layout import Layout
from lipstream.render.png_sequence import PngSequence
from lipstream.render.pose import Pose
from lipstream.render.registry import RendererKind, open_renderer, register_renderer
from lipstream.render.renderer import SplatRenderer
from lipstream.render.retime import retime
from lipstream.render.video import VideoWriter
from lipstream.render.warmup import warm_up

__all__ = [
    "AccessUnit",
    "Background",
    "ColorMap",
    "Drawable",
    "Driver",
    "EncoderSettings",
    "FaceDriver",
    "FilmOptions",
    "FilmStats",
    "Gathered",
    "Layout",
    "LiveEncoder",
    "PngSequence",
    "Pose",
    "Renderer",
    "RendererKind",
    "SplatRenderer",
    "VideoWriter",
    "View",
    "open_background",
    "open_renderer",
    "register_renderer",
    "render_video",
    "retime",
    "warm_up",
]
