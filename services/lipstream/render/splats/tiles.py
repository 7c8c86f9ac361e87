"""Which splats touch which tile of 16x16 pixels, and which blocks of it.

A tile is four rows of four blocks, each of 4x4 pixels. Tiles are filled in the picture's order of
depth, so no tile is sorted by itself.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.face.model import Ints
from lipstream.render.splats.jit import kernel
from lipstream.render.splats.projection import Bounds

__all__ = ["BLOCKS", "MASKS_READ_AHEAD", "Masks", "count_tiles", "fill_tiles", "longest_list"]

Masks: TypeAlias = NDArray[np.uint16]
"""Bit k is block k of the tile, row by row."""

BLOCKS = 16
MASKS_READ_AHEAD = 64
"""So many masks are read at once, also at the end of the last list."""


_U = np.uint64
_TILE_BITS = np.uint64(4)
_FETCHED = np.uint64(64)


@kernel
def count_tiles(
    bounds: Bounds,  # [N, 4], the first `count` in use
    count: int,
    columns: int,
    starts: Ints,  # [tiles + 1] out: where each tile's list begins
) -> int:
    """Lay out the lists; return their whole length.

    Each splat is noted at the corners of its rectangle of tiles alone: sums along the rows and
    down the columns then give how many rectangles hold a tile.
    """
    width = _U(columns + 1)
    rows = _U((starts.shape[0] - 1) // columns)
    corners = np.zeros(width * (rows + _U(1)), np.int32)
    for i in range(_U(count)):
        left = _U(bounds[i, 0]) >> _TILE_BITS
        right = (_U(bounds[i, 1] - 1) >> _TILE_BITS) + _U(1)
        top = (_U(bounds[i, 2]) >> _TILE_BITS) * width
        bottom = ((_U(bounds[i, 3] - 1) >> _TILE_BITS) + _U(1)) * width
        corners[top + left] += 1
        corners[top + right] -= 1
        corners[bottom + left] -= 1
        corners[bottom + right] += 1
    begin = 0
    tile = _U(0)
    for row in range(rows):
        inside = 0
        for column in range(width - _U(1)):
            at = row * width + column
            if row > _U(0):
                corners[at] += corners[at - width]
            inside += corners[at]
            starts[tile] = begin
            begin += inside
            tile += _U(1)
    starts[tile] = begin
    return begin


@kernel
def fill_tiles(
    bounds: Bounds,  # [N, 4]
    order: Ints,  # [N] nearest first
    count: int,
    columns: int,
    starts: Ints,  # [tiles + 1]
    ends: Ints,  # [tiles] scratch
    members: Ints,  # [at least starts[-1]] out: splats by tile, nearest first
    masks: Masks,  # [as many] out: the blocks that each of them touches
) -> None:
    """Write each splat into the lists of the tiles that its bounds touch.

    Bounds lie scattered in memory: some are fetched ahead, so that no branch waits for its own.
    """
    for tile in range(_U(ends.shape[0])):
        ends[tile] = starts[tile]
    fetched = np.empty((_FETCHED, 4), np.int16)
    for begin in range(_U(0), _U(count), _FETCHED):
        some = min(_FETCHED, _U(count) - begin)
        for j in range(some):
            i = _U(order[begin + j])
            for side in range(_U(4)):
                fetched[j, side] = bounds[i, side]
        for j in range(some):
            i = _U(order[begin + j])
            x_from = _U(fetched[j, 0])
            x_to = _U(fetched[j, 1] - 1)
            y_from = _U(fetched[j, 2])
            y_to = _U(fetched[j, 3] - 1)
            for row in range(y_from >> _TILE_BITS, (y_to >> _TILE_BITS) + _U(1)):
                first = row << _TILE_BITS
                top = (max(y_from, first) - first) & _U(12)  # four times the row of blocks
                bottom = (min(y_to, first + _U(15)) - first) & _U(12)
                rows = ((_U(16) << bottom) - (_U(1) << top)) & _U(0x1111)
                for column in range(x_from >> _TILE_BITS, (x_to >> _TILE_BITS) + _U(1)):
                    first = column << _TILE_BITS
                    left = (max(x_from, first) - first) >> _U(2)
                    right = (min(x_to, first + _U(15)) - first) >> _U(2)
                    tile = row * _U(columns) + column
                    at = _U(ends[tile])
                    members[at] = i
                    masks[at] = rows * ((_U(2) << right) - (_U(1) << left))
                    ends[tile] = at + _U(1)


@kernel
def longest_list(starts: Ints) -> int:  # [tiles + 1]
    """How many splats the longest list has."""
    longest = 0
    for tile in range(starts.shape[0] - 1):
        longest = max(longest, starts[tile + 1] - starts[tile])
    return int(longest)
