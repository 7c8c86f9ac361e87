"""From motion to pictures and video: splats, compositing, encoding.

What is asked for is imported then: one picture needs neither encoders nor what a fit does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    "warm_up",
]

_MODULES = {
    "AccessUnit": "h264",
    "Background": "background",
    "ColorMap": "adjoint",
    "Drawable": "interface",
    "Driver": "driver",
    "EncoderSettings": "h264",
    "FaceDriver": "driver",
    "FilmOptions": "film",
    "FilmStats": "film",
    "Gathered": "adjoint",
    "Layout": "layout",
    "LiveEncoder": "h264",
    "PngSequence": "png_sequence",
    "Pose": "pose",
    "Renderer": "interface",
    "RendererKind": "registry",
    "SplatRenderer": "renderer",
    "VideoWriter": "video",
    "View": "interface",
    "open_background": "background",
    "open_renderer": "registry",
    "register_renderer": "registry",
    "render_video": "film",
    "warm_up": "warmup",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
