"""Blending into the planes that encoders take: BT.709, limited range, chroma at half resolution.

The splats' colours are Y, U, V already (see `Scene.yuv_colors`). A pixel of chroma stands for
four of luma.
"""

from __future__ import annotations

import numpy as np

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render.kernels import kernel
from lipstream.render.kernels.vector import stack_floats
from lipstream.render.splats.blend import Bytes
from lipstream.render.splats.tile import blend_tile_halved
from lipstream.render.splats.tiles import Masks

__all__ = ["blend_yuv420p", "blend_yuva420p"]

_U = np.uint64
_F = np.float32
_FAINTEST = np.float32(0.5 / 255)


@kernel
def blend_yuv420p(
    splats: Floats,
    members: Ints,
    masks: Masks,
    starts: Ints,  # [tiles + 1]
    near: Floats,  # [9 * the longest list] scratch
    plate_y: Bytes,  # [H, W]
    plate_u: Bytes,  # [H / 2, W / 2]
    plate_v: Bytes,  # [H / 2, W / 2]
    out_y: Bytes,  # [H, W]
    out_u: Bytes,  # [H / 2, W / 2]
    out_v: Bytes,  # [H / 2, W / 2]
) -> None:
    """Over the plate, chroma centred."""
    rows, across = out_y.shape[0], out_y.shape[1]
    columns = (across + 15) // 16
    planes = stack_floats(1024)
    for tile in range(starts.shape[0] - 1):
        top = (tile // columns) * 16
        left = (tile % columns) * 16
        height = _U(min(16, rows - top))
        width = _U(min(16, across - left))
        top_u = _U(top)
        left_u = _U(left)
        top_c = _U(top // 2)
        left_c = _U(left // 2)
        if starts[tile] == starts[tile + 1]:
            for y in range(height):
                for x in range(width):
                    out_y[top_u + y, left_u + x] = plate_y[top_u + y, left_u + x]
            for y in range(height >> _U(1)):
                for x in range(width >> _U(1)):
                    out_u[top_c + y, left_c + x] = plate_u[top_c + y, left_c + x]
                    out_v[top_c + y, left_c + x] = plate_v[top_c + y, left_c + x]
            continue
        begin = starts[tile]
        end = starts[tile + 1]
        blend_tile_halved(splats, members, masks, begin, end, left, top, across, rows, near, planes)
        for y in range(height):
            for x in range(width):
                k = y * _U(16) + x
                own = _F(plate_y[top_u + y, left_u + x]) - _F(16)
                value = planes[_U(256) + k] + planes[k] * own + _F(16.5)
                out_y[top_u + y, left_u + x] = np.uint8(min(max(value, _F(0)), _F(255)))
        for y in range(height >> _U(1)):
            for x in range(width >> _U(1)):
                k = y * _U(32) + x * _U(2)
                open_ = planes[k] + planes[k + _U(1)] + planes[k + _U(16)] + planes[k + _U(17)]
                k += _U(512)
                u = planes[k] + planes[k + _U(1)]
                k += _U(256)
                v = planes[k] + planes[k + _U(1)]
                u += open_ * (_F(plate_u[top_c + y, left_c + x]) - _F(128))
                v += open_ * (_F(plate_v[top_c + y, left_c + x]) - _F(128))
                u = u * _F(0.25) + _F(128.5)
                v = v * _F(0.25) + _F(128.5)
                out_u[top_c + y, left_c + x] = np.uint8(min(max(u, _F(0)), _F(255)))
                out_v[top_c + y, left_c + x] = np.uint8(min(max(v, _F(0)), _F(255)))


@kernel
def blend_yuva420p(
    splats: Floats,
    members: Ints,
    masks: Masks,
    starts: Ints,  # [tiles + 1]
    near: Floats,  # [9 * the longest list] scratch
    plate_y: Bytes,  # [H, W]
    plate_u: Bytes,  # [H / 2, W / 2]
    plate_v: Bytes,  # [H / 2, W / 2]
    plate_alpha: Bytes,  # [H, W]
    straight: bool,
    out_y: Bytes,  # [H, W]
    out_u: Bytes,  # [H / 2, W / 2]
    out_v: Bytes,  # [H / 2, W / 2]
    out_alpha: Bytes,  # [H, W] full range
) -> None:
    """Over a plate with alpha, colours as in `blend_yuv420p`: straight, or over black.

    A pixel of chroma stands for four of luma: straight, it is their mean weighted by alpha, so
    that no edge fades to the colour of what is not seen.
    """
    rows, across = out_y.shape[0], out_y.shape[1]
    columns = (across + 15) // 16
    planes = stack_floats(1024)
    for tile in range(starts.shape[0] - 1):
        top = (tile // columns) * 16
        left = (tile % columns) * 16
        begin = starts[tile]
        end = starts[tile + 1]
        blend_tile_halved(splats, members, masks, begin, end, left, top, across, rows, near, planes)
        height = _U(min(16, rows - top))
        width = _U(min(16, across - left))
        for y in range(height):
            for x in range(width):
                k = y * _U(16) + x
                behind = planes[k] * _F(plate_alpha[_U(top) + y, _U(left) + x]) / _F(255)
                own = _F(plate_y[_U(top) + y, _U(left) + x]) - _F(16)
                alpha = min(max(_F(1) - planes[k] + behind, _F(0)), _F(1))
                luma = planes[_U(256) + k] + behind * own
                if straight:
                    luma = luma / alpha if alpha > _FAINTEST else own
                luma = min(max(luma + _F(16.5), _F(0)), _F(255))
                out_y[_U(top) + y, _U(left) + x] = np.uint8(luma)
                out_alpha[_U(top) + y, _U(left) + x] = np.uint8(alpha * _F(255) + _F(0.5))
                planes[k] = behind
        for y in range(height >> _U(1)):
            for x in range(width >> _U(1)):
                row = _U(top // 2) + y
                column = _U(left // 2) + x
                behind = _F(0)
                total = _F(0)
                for j in range(_U(4)):
                    dy = y * _U(2) + (j >> _U(1))
                    dx = x * _U(2) + (j & _U(1))
                    k = dy * _U(16) + dx
                    behind += planes[k]
                    total += _F(out_alpha[_U(top) + dy, _U(left) + dx]) / _F(255)
                own_u = _F(plate_u[row, column]) - _F(128)
                own_v = _F(plate_v[row, column]) - _F(128)
                k = y * _U(32) + x * _U(2) + _U(512)
                u = planes[k] + planes[k + _U(1)] + behind * own_u
                k += _U(256)
                v = planes[k] + planes[k + _U(1)] + behind * own_v
                if not straight:
                    u *= _F(0.25)
                    v *= _F(0.25)
                elif total > _FAINTEST:
                    u /= total
                    v /= total
                else:
                    u = own_u
                    v = own_v
                out_u[row, column] = np.uint8(min(max(u + _F(128.5), _F(0)), _F(255)))
                out_v[row, column] = np.uint8(min(max(v + _F(128.5), _F(0)), _F(255)))
