"""Gaussian splats on a CPU: the kernels, in the order in which a frame passes them."""

from lipstream.render.splats.blend import Bytes, blend_float, blend_rgb, blend_rgba
from lipstream.render.splats.blend_yuv import blend_yuv420p, blend_yuva420p
from lipstream.render.splats.constants import ALPHA_MAX, REFERENCE_SIZE_PX, TILE_PX, low_pass_px2
from lipstream.render.splats.gather import SUMS_WIDTH, gather
from lipstream.render.splats.order import depth_keys, sort_tiles
from lipstream.render.splats.projection import SPLAT_WIDTH, STATIC_WIDTH, project
from lipstream.render.splats.tiles import (
    MASKS_READ_AHEAD,
    TOUCH_WIDTH,
    count_tiles,
    fill_tiles,
    longest_list,
)

__all__ = [
    "ALPHA_MAX",
    "MASKS_READ_AHEAD",
    "REFERENCE_SIZE_PX",
    "SPLAT_WIDTH",
    "STATIC_WIDTH",
    "SUMS_WIDTH",
    "TILE_PX",
    "TOUCH_WIDTH",
    "Bytes",
    "blend_float",
    "blend_rgb",
    "blend_rgba",
    "blend_yuv420p",
    "blend_yuva420p",
    "count_tiles",
    "depth_keys",
    "fill_tiles",
    "gather",
    "longest_list",
    "low_pass_px2",
    "project",
    "sort_tiles",
]
