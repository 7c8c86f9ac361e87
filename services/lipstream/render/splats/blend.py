"""Blending: splats of a tile, nearest first, into pixels.

A tile's splats are copied together first: they lie scattered in memory, and copying them is the
quickest way to wait for it. Then each block of 8x2 pixels takes those that touch it, one after
the other, with its transmittance and colour in registers, until hardly any light is left.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render.splats.jit import kernel
from lipstream.render.splats.opacity import CHECK_EVERY, OPEN, alpha_of
from lipstream.render.splats.projection import SPLAT_WIDTH
from lipstream.render.splats.tiles import BLOCKS, MASKS_READ_AHEAD, Masks, longest_list
from lipstream.render.splats.vector import (
    any_at_least,
    bits_of,
    iota,
    load,
    lowest_bit,
    splat,
    store,
)

__all__ = [
    "Bytes",
    "blend_float",
    "blend_rgb",
    "blend_rgba",
]

Bytes: TypeAlias = NDArray[np.uint8]

_U = np.uint64
_F = np.float32
_WIDTH = np.uint64(SPLAT_WIDTH)
_AHEAD = np.uint64(MASKS_READ_AHEAD)
_FAINTEST = np.float32(0.5 / 255)


@kernel
def _blend_tile(
    splats: Floats,  # [N, 9]
    members: Ints,  # splats by tile
    masks: Masks,  # their blocks
    begin: int,
    end: int,
    left_px: int,
    top_px: int,
    width_px: int,
    height_px: int,
    near: Floats,  # [9 * (end - begin)] scratch
    planes: Floats,  # [4 * 256] out: transmittance, then premultiplied red, green, blue
) -> None:
    count = _U(end - begin)
    for q in range(count):
        at = _U(members[_U(begin) + q]) * _WIDTH
        store(near, q * _WIDTH, load(splats, at))
        store(near, q * _WIDTH + _U(1), load(splats, at + _U(1)))
    for k in range(_U(256)):
        planes[k] = _F(1)
    if top_px + 16 > height_px or left_px + 16 > width_px:
        for y in range(16):
            for x in range(16):
                if top_px + y >= height_px or left_px + x >= width_px:
                    planes[y * 16 + x] = _F(0)
    for block in range(BLOCKS):
        left = _F(left_px + (block >> 3) * 8) + _F(0.5)
        top = _F(top_px + (block & 7) * 2) + _F(0.5)
        pixels = _U((block & 7) * 32 + (block >> 3) * 8)
        open_0 = load(planes, pixels)
        open_1 = load(planes, pixels + _U(16))
        red_0 = green_0 = blue_0 = red_1 = green_1 = blue_1 = splat(_F(0))
        until_check = CHECK_EVERY
        first = _U(0)
        while first < count:
            touching = bits_of(masks, _U(begin) + first, np.uint16(1 << block))
            if count - first < _AHEAD:
                touching &= (_U(1) << (count - first)) - _U(1)
            while touching != _U(0):
                at = (first + lowest_bit(touching)) * _WIDTH
                touching &= touching - _U(1)
                dx = iota() - splat(near[at] - left)
                dy = top - near[at + _U(1)]
                bent = splat(near[at + _U(2)]) * dx
                b = near[at + _U(3)]
                c = near[at + _U(4)]
                log_opacity = near[at + _U(5)]
                red = splat(near[at + _U(6)])
                green = splat(near[at + _U(7)])
                blue = splat(near[at + _U(8)])
                p = (bent + splat(b * dy)) * dx + splat(c * dy * dy + log_opacity)
                weight = open_0 * alpha_of(p)
                red_0 = red_0 + weight * red
                green_0 = green_0 + weight * green
                blue_0 = blue_0 + weight * blue
                open_0 = open_0 - weight
                dy += _F(1)
                p = (bent + splat(b * dy)) * dx + splat(c * dy * dy + log_opacity)
                weight = open_1 * alpha_of(p)
                red_1 = red_1 + weight * red
                green_1 = green_1 + weight * green
                blue_1 = blue_1 + weight * blue
                open_1 = open_1 - weight
                until_check -= 1
                if until_check == 0:
                    until_check = CHECK_EVERY
                    if not any_at_least(open_0, open_1, OPEN):
                        first = count
                        break
            first += _AHEAD
        store(planes, pixels, open_0)
        store(planes, pixels + _U(16), open_1)
        store(planes, pixels + _U(256), red_0)
        store(planes, pixels + _U(272), red_1)
        store(planes, pixels + _U(512), green_0)
        store(planes, pixels + _U(528), green_1)
        store(planes, pixels + _U(768), blue_0)
        store(planes, pixels + _U(784), blue_1)


@kernel
def blend_float(
    splats: Floats,
    members: Ints,
    masks: Masks,
    starts: Ints,  # [tiles + 1]
    out: Floats,  # [H, W, 4] premultiplied red, green, blue; transmittance
) -> None:
    """The splats alone, unrounded."""
    rows, across = out.shape[0], out.shape[1]
    columns = (across + 15) // 16
    planes = np.empty(1024, np.float32)
    near = np.empty(longest_list(starts) * SPLAT_WIDTH, np.float32)
    for tile in range(starts.shape[0] - 1):
        top = (tile // columns) * 16
        left = (tile % columns) * 16
        begin = starts[tile]
        end = starts[tile + 1]
        _blend_tile(splats, members, masks, begin, end, left, top, across, rows, near, planes)
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
    plate: Bytes,  # [H, W, 3]
    out: Bytes,  # [H, W, 3]
) -> None:
    """Over the plate, 8 bits a channel."""
    rows, across = out.shape[0], out.shape[1]
    columns = (across + 15) // 16
    planes = np.empty(1024, np.float32)
    near = np.empty(longest_list(starts) * SPLAT_WIDTH, np.float32)
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
        _blend_tile(splats, members, masks, begin, end, left, top, across, rows, near, planes)
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
    plate: Bytes,  # [H, W, 3]
    plate_alpha: Bytes,  # [H, W]
    out: Bytes,  # [H, W, 4] straight
) -> None:
    """Over a plate with alpha, 8 bits a channel. Where nothing is seen, the plate's colour is."""
    rows, across = out.shape[0], out.shape[1]
    columns = (across + 15) // 16
    planes = np.empty(1024, np.float32)
    near = np.empty(longest_list(starts) * SPLAT_WIDTH, np.float32)
    for tile in range(starts.shape[0] - 1):
        top = (tile // columns) * 16
        left = (tile % columns) * 16
        begin = starts[tile]
        end = starts[tile + 1]
        _blend_tile(splats, members, masks, begin, end, left, top, across, rows, near, planes)
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
