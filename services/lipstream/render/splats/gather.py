"""The adjoint of blending: what each splat would collect from a picture.

Blending is linear in the splats' colours: pixel = sum of weight x colour. Its adjoint sends a
picture of residuals back, which is all that an iterative solution for the colours needs.
"""

from __future__ import annotations

import numpy as np

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render.kernels import kernel
from lipstream.render.kernels.vector import (
    LANES,
    any_at_least,
    bits_of,
    columns,
    load,
    load_halves,
    lowest_bit,
    rows,
    splat,
    stack_floats,
    store,
)
from lipstream.render.splats.opacity import CHECK_EVERY, OPEN, alpha_of
from lipstream.render.splats.projection import SPLAT_WIDTH
from lipstream.render.splats.tiles import BLOCKS, MASKS_READ_AHEAD, Masks

__all__ = ["SUMS_WIDTH", "gather"]

_U = np.uint64
_F = np.float32
_WIDTH = np.uint64(SPLAT_WIDTH)
_AHEAD = np.uint64(MASKS_READ_AHEAD)
SUMS_WIDTH = 4 * LANES
"""Of each splat in a tile."""
_SUMS = np.uint64(SUMS_WIDTH)


@kernel
def _gather_tile(
    splats: Floats,  # [N, 9]
    members: Ints,  # splats by tile
    masks: Masks,  # their blocks
    begin: int,
    end: int,
    left_px: int,
    top_px: int,
    planes: Floats,  # [4 * 256] 1 inside the picture, then its residual
    sums: Floats,  # [32 * (end - begin)] out: of each splat, in eight parts each
) -> None:
    count = _U(end - begin)
    for k in range(count * _SUMS):
        sums[k] = _F(0)
    for block in range(BLOCKS):
        across = columns() + splat(_F(left_px + (block & 3) * 4) + _F(0.5))
        down = rows() + splat(_F(top_px + (block >> 2) * 4) + _F(0.5))
        row_0 = _U((block >> 2) * 64 + (block & 3) * 4)
        row_1 = row_0 + _U(16)
        row_2 = row_0 + _U(32)
        row_3 = row_0 + _U(48)
        open_0 = load_halves(planes, row_0, row_2)
        open_1 = load_halves(planes, row_1, row_3)
        red_0 = load_halves(planes, _U(256) + row_0, _U(256) + row_2)
        red_1 = load_halves(planes, _U(256) + row_1, _U(256) + row_3)
        green_0 = load_halves(planes, _U(512) + row_0, _U(512) + row_2)
        green_1 = load_halves(planes, _U(512) + row_1, _U(512) + row_3)
        blue_0 = load_halves(planes, _U(768) + row_0, _U(768) + row_2)
        blue_1 = load_halves(planes, _U(768) + row_1, _U(768) + row_3)
        until_check = CHECK_EVERY
        first = _U(0)
        while first < count:
            touching = bits_of(masks, _U(begin) + first, np.uint16(1 << block))
            if count - first < _AHEAD:
                touching &= (_U(1) << (count - first)) - _U(1)
            while touching != _U(0):
                q = first + lowest_bit(touching)
                touching &= touching - _U(1)
                at = _U(members[_U(begin) + q])
                dx = across - splat(splats[at, 0])
                dy = down - splat(splats[at, 1])
                b = splat(splats[at, 3])
                c = splat(splats[at, 4])
                c_dy = c * dy
                exponent = splat(splats[at, 2]) * dx + b * dy
                exponent = exponent * dx + (c_dy * dy + splat(splats[at, 5]))
                weight_0 = open_0 * alpha_of(exponent)
                open_0 = open_0 - weight_0
                exponent = exponent + (b * dx + (c_dy + c_dy + c))  # one row further down
                weight_1 = open_1 * alpha_of(exponent)
                open_1 = open_1 - weight_1
                to = q * _SUMS
                red = load(sums, to) + weight_0 * red_0 + weight_1 * red_1
                green = load(sums, to + _U(8)) + weight_0 * green_0 + weight_1 * green_1
                blue = load(sums, to + _U(16)) + weight_0 * blue_0 + weight_1 * blue_1
                store(sums, to, red)
                store(sums, to + _U(8), green)
                store(sums, to + _U(16), blue)
                store(sums, to + _U(24), load(sums, to + _U(24)) + weight_0 + weight_1)
                until_check -= 1
                if until_check == 0:
                    until_check = CHECK_EVERY
                    if not any_at_least(open_0, open_1, OPEN):
                        first = count
                        break
            first += _AHEAD


@kernel
def gather(
    splats: Floats,  # [N, 9]
    members: Ints,  # splats by tile
    masks: Masks,  # their blocks
    starts: Ints,  # [tiles + 1]
    sources: Ints,  # [N] Gaussian of each splat
    residual: Floats,  # [S, S, 3]
    sums: Floats,  # [32 * the longest list] scratch
    out: Floats,  # [Gaussians, 4] sums of weight x residual (3) and of weight
) -> None:
    """Walk the tiles with the weights of `blend`, which leaves off at the same splats."""
    size = residual.shape[0]
    columns = (size + 15) // 16
    planes = stack_floats(1024)
    out[:] = _F(0)
    for tile in range(starts.shape[0] - 1):
        begin = starts[tile]
        end = starts[tile + 1]
        if begin == end:
            continue
        top = (tile // columns) * 16
        left = (tile % columns) * 16
        width = min(16, size - left)
        height = min(16, size - top)
        for y in range(16):
            for x in range(16):
                inside = y < height and x < width
                planes[y * 16 + x] = _F(1) if inside else _F(0)
                for k in range(3):
                    value = residual[top + y, left + x, k] if inside else _F(0)
                    planes[256 * (k + 1) + y * 16 + x] = value
        _gather_tile(splats, members, masks, begin, end, left, top, planes, sums)
        for q in range(_U(end - begin)):
            source = sources[members[_U(begin) + q]]
            for k in range(_U(4)):
                total = _F(0)
                for lane in range(_U(LANES)):
                    total += sums[q * _SUMS + k * _U(LANES) + lane]
                out[source, k] += total
