"""Drawing on a GPU: the same avatars, many sessions' frames in one call.

torch and gsplat are imported here and nowhere else in `render`; both come with the extra `gpu`.
"""

from lipstream.render.gpu.batch_renderer import BatchRenderer
from lipstream.render.gpu.device_renderer import DeviceRenderer, draw_splats_on
from lipstream.render.gpu.device_scene import DeviceScene
from lipstream.render.gpu.frame_queue import FrameQueue
from lipstream.render.gpu.placed import Placed, place
from lipstream.render.gpu.rasterizer import GsplatRasterizer, Rasterizer

__all__ = [
    "BatchRenderer",
    "DeviceRenderer",
    "DeviceScene",
    "FrameQueue",
    "GsplatRasterizer",
    "Placed",
    "Rasterizer",
    "draw_splats_on",
    "place",
]
