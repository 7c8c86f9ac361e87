"""Blending into pictures in red, green and blue."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render.kernels import kernel
from lipstream.render.kernels.vector import stack_floats
from lipstream.render.splats.tile import blend_tile
from lipstream.render.splats.tiles import Masks

__all__ = [
    "Bytes",
    "blend_float",
    "blend_rgb",
    "blend_rgba",
]

Bytes: TypeAlias = NDArray[np.uint8]

_U = np.uint64
_F = np.float32
_FAINTEST = np.float32(0.5 / 255)


@kernel
def blend_float(
    splats: Floats,
    members: Ints,
    masks: Masks,
    starts: Ints,  # [tiles + 1]
    near: Floats,  # [9 * the longest list] scratch
    out: Floats,  # [H, W, 4] premultiplied red, green, blue; transmittance
) -> None:
    """The splats alone, unrounded."""
    rows, across = out.shape[0], out.shape[1]
    columns = (across + 15) // 16
    planes = stack_floats(1024)
    for tile in range(starts.shape[0] - 1):
        top = (tile // columns) * 16
        left = (tile % columns) * 16
        begin = starts[tile]
        end = starts[tile + 1]
        blend_tile(splats, members, masks, begin, end, left, top, across, rows, near, planes)
        for y in range(min(16, rows - top)):
            for x in range(min(16, across - left)):
                k = y * 16 + x
                out[top + y, left + x, 0] = planes[256 + k]
                out[top + y, left + x, 1] = planes[512 + k]
                out[top + y, left + x, 2] = planes[768 + k]
                out[top + y, left + x, 3] = planes[k]


@kernel
def blend_rgb(
    splats: Floats,
    members: Ints,
    masks: Masks,
    starts: Ints,  # [tiles + 1]
    near: Floats,  # [9 * the longest list] scratch
    plate: Bytes,  # [H, W, 3]
    out: Bytes,  # [H, W, 3]
) -> None:
    """Over the plate, 8 bits a channel."""
    rows, across = out.shape[0], out.shape[1]
    columns = (across + 15) // 16
    planes = stack_floats(1024)
    for tile in range(starts.shape[0] - 1):
        top = (tile // columns) * 16
        left = (tile % columns) * 16
        height = _U(min(16, rows - top))
        width = _U(min(16, across - left))
        if starts[tile] == starts[tile + 1]:
            for y in range(height):
                for x in range(width):
                    for k in range(_U(3)):
                        out[_U(top) + y, _U(left) + x, k] = plate[_U(top) + y, _U(left) + x, k]
            continue
        begin = starts[tile]
        end = starts[tile + 1]
        blend_tile(splats, members, masks, begin, end, left, top, across, rows, near, planes)
        for y in range(height):
            for x in range(width):
                at = y * _U(16) + x
                for k in range(_U(3)):
                    behind = planes[at] * _F(plate[_U(top) + y, _U(left) + x, k])
                    value = planes[_U(256) * (k + _U(1)) + at] * _F(255) + behind + _F(0.5)
                    out[_U(top) + y, _U(left) + x, k] = np.uint8(min(max(value, _F(0)), _F(255)))


@kernel
def blend_rgba(
    splats: Floats,
    members: Ints,
    masks: Masks,
    starts: Ints,  # [tiles + 1]
    near: Floats,  # [9 * the longest list] scratch
    plate: Bytes,  # [H, W, 3]
    plate_alpha: Bytes,  # [H, W]
    out: Bytes,  # [H, W, 4] straight
) -> None:
    """Over a plate with alpha, 8 bits a channel. Where nothing is seen, the plate's colour is."""
    rows, across = out.shape[0], out.shape[1]
    columns = (across + 15) // 16
    planes = stack_floats(1024)
    for tile in range(starts.shape[0] - 1):
        top = (tile // columns) * 16
        left = (tile % columns) * 16
        begin = starts[tile]
        end = starts[tile + 1]
        blend_tile(splats, members, masks, begin, end, left, top, across, rows, near, planes)
        for y in range(_U(min(16, rows - top))):
            for x in range(_U(min(16, across - left))):
                at = y * _U(16) + x
                open_ = planes[at]
                behind = open_ * _F(plate_alpha[_U(top) + y, _U(left) + x]) / _F(255)
                alpha = min(max(_F(1) - open_ + behind, _F(0)), _F(1))
                for k in range(_U(3)):
                    value = _F(plate[_U(top) + y, _U(left) + x, k])
                    if alpha > _FAINTEST:
                        front = planes[_U(256) * (k + _U(1)) + at] * _F(255)
                        value = (front + behind * value) / alpha
                    value = min(max(value + _F(0.5), _F(0)), _F(255))
                    out[_U(top) + y, _U(left) + x, k] = np.uint8(value)
                out[_U(top) + y, _U(left) + x, 3] = np.uint8(alpha * _F(255) + _F(0.5))
