"""From motion to pictures and video: splats, compositing, encoding."""

from lipstream.render.adjoint import ColorMap, Gathered
from lipstream.render.driver import Driver, FaceDriver
from lipstream.render.pose import Pose
from lipstream.render.renderer import SplatRenderer
from lipstream.render.scene import MAX_SIZE_PX, MIN_SIZE_PX, check_size_px
from lipstream.render.warmup import warm_up

__all__ = [
    "MAX_SIZE_PX",
    "MIN_SIZE_PX",
    "ColorMap",
    "Driver",
    "FaceDriver",
    "Gathered",
    "Pose",
    "SplatRenderer",
    "check_size_px",
    "warm_up",
]
