"""Blending: splats of a tile, nearest first, into pixels.

A tile's splats are copied together first: they lie scattered in memory, and copying them is the
quickest way to wait for it. Then each block of 4x4 pixels takes those that touch it, one after
the other, with its transmittance and colour in registers, until hardly any light is left.

A register holds every other row of a block: where chroma has half the resolution, the two then
share their sums of it, and all that a block needs fits the sixteen registers of common processors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render.kernels import kernel
from lipstream.render.kernels.vector import (
    any_at_least,
    bits_of,
    columns,
    load,
    load_halves,
    lowest_bit,
    rows,
    splat,
    store,
    store_halves,
)
from lipstream.render.splats.opacity import CHECK_EVERY, OPEN, alpha_of
from lipstream.render.splats.projection import SPLAT_WIDTH
from lipstream.render.splats.tiles import BLOCKS, MASKS_READ_AHEAD, Masks

__all__ = ["blend_tile", "blend_tile_halved"]

_U = np.uint64
_F = np.float32
_WIDTH = np.uint64(SPLAT_WIDTH)
_AHEAD = np.uint64(MASKS_READ_AHEAD)


def _blending(*, halved: bool) -> Callable[..., Any]:
    """
    Args:
        halved: whether the second and third colour are chroma at half resolution.
    """

    @kernel
    def blend(
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
        planes: Floats,  # [4 * 256] out: transmittance, then three colours times opacity; of
        # halved ones, only every other row is written: sums of two
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
            across = columns() + splat(_F(left_px + (block & 3) * 4) + _F(0.5))
            down = rows() + splat(_F(top_px + (block >> 2) * 4) + _F(0.5))
            row_0 = _U((block >> 2) * 64 + (block & 3) * 4)
            row_1 = row_0 + _U(16)
            row_2 = row_0 + _U(32)
            row_3 = row_0 + _U(48)
            open_0 = load_halves(planes, row_0, row_2)
            open_1 = load_halves(planes, row_1, row_3)
            first_0 = first_1 = second_0 = second_1 = third_0 = third_1 = splat(_F(0))
            until_check = CHECK_EVERY
            seen = _U(0)
            while seen < count:
                touching = bits_of(masks, _U(begin) + seen, np.uint16(1 << block))
                if count - seen < _AHEAD:
                    touching &= (_U(1) << (count - seen)) - _U(1)
                while touching != _U(0):
                    at = (seen + lowest_bit(touching)) * _WIDTH
                    touching &= touching - _U(1)
                    dx = across - splat(near[at])
                    dy = down - splat(near[at + _U(1)])
                    b = splat(near[at + _U(3)])
                    c = splat(near[at + _U(4)])
                    c_dy = c * dy
                    exponent = splat(near[at + _U(2)]) * dx + b * dy
                    exponent = exponent * dx + (c_dy * dy + splat(near[at + _U(5)]))
                    weight_0 = open_0 * alpha_of(exponent)
                    open_0 = open_0 - weight_0
                    exponent = exponent + (b * dx + (c_dy + c_dy + c))  # one row further down
                    weight_1 = open_1 * alpha_of(exponent)
                    open_1 = open_1 - weight_1
                    first = splat(near[at + _U(6)])
                    second = splat(near[at + _U(7)])
                    third = splat(near[at + _U(8)])
                    first_0 = first_0 + weight_0 * first
                    first_1 = first_1 + weight_1 * first
                    if halved:
                        weight_0 = weight_0 + weight_1
                    else:
                        second_1 = second_1 + weight_1 * second
                        third_1 = third_1 + weight_1 * third
                    second_0 = second_0 + weight_0 * second
                    third_0 = third_0 + weight_0 * third
                    until_check -= 1
                    if until_check == 0:
                        until_check = CHECK_EVERY
                        if not any_at_least(open_0, open_1, OPEN):
                            seen = count
                            break
                seen += _AHEAD
            store_halves(planes, row_0, row_2, open_0)
            store_halves(planes, row_1, row_3, open_1)
            store_halves(planes, _U(256) + row_0, _U(256) + row_2, first_0)
            store_halves(planes, _U(256) + row_1, _U(256) + row_3, first_1)
            store_halves(planes, _U(512) + row_0, _U(512) + row_2, second_0)
            store_halves(planes, _U(768) + row_0, _U(768) + row_2, third_0)
            if not halved:
                store_halves(planes, _U(512) + row_1, _U(512) + row_3, second_1)
                store_halves(planes, _U(768) + row_1, _U(768) + row_3, third_1)

    return blend


blend_tile = _blending(halved=False)
blend_tile_halved = _blending(halved=True)
