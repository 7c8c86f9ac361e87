"""Which splats touch which tile of 16x16 pixels, and which blocks of it.

A tile is four rows of four blocks, each of 4x4 pixels. Tiles are filled in the order of the splats,
neighbours after one another, and sorted by `order`.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.face.model import Ints
from lipstream.render.kernels import kernel
from lipstream.render.splats.projection import Bounds

__all__ = [
    "BLOCKS",
    "MASKS_READ_AHEAD",
    "Entries",
    "Masks",
    "count_tiles",
    "fill_tiles",
    "longest_list",
]

Masks: TypeAlias = NDArray[np.uint16]
"""Bit k is block k of the tile, row by row."""

Entries: TypeAlias = NDArray[np.uint64]
"""Of a splat in a tile: key of its depth, mask, number, in 16, 16 and 32 bits from above."""

BLOCKS = 16
MASKS_READ_AHEAD = 64
"""So many masks are read at once, also at the end of the last list."""


_U = np.uint64
_TILE_BITS = np.uint64(4)
_DOWN = np.uint64(0x11111111)
"""The first block of each of eight rows."""


@kernel
def count_tiles(
    bounds: Bounds,  # [N, 4], the first `count` in use
    count: int,
    columns: int,
    corners: Ints,  # [tiles + columns + rows + 1] scratch
    starts: Ints,  # [tiles + 1] out: where each tile's list begins
) -> int:
    """Lay out the lists; return their whole length.

    Each splat is noted at the corners of its rectangle of tiles alone: sums along the rows and
    down the columns then give how many rectangles hold a tile.
    """
    width = _U(columns + 1)
    rows = _U((starts.shape[0] - 1) // columns)
    for corner in range(width * (rows + _U(1))):
        corners[corner] = 0
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
    keys: NDArray[np.uint16],  # [N] of their depths
    count: int,
    columns: int,
    starts: Ints,  # [tiles + 1]
    ends: Ints,  # [at least tiles + columns + 1] scratch
    entries: Entries,  # [more than starts[-1]] out: splats by tile
) -> None:
    """Write each splat into the lists of the tiles that its bounds touch.

    Nearly all touch at most two tiles each way: those are written to all four without a branch
    that could be mispredicted, where they touch nothing into a place behind the lists.
    """
    tiles = _U(starts.shape[0] - 1)
    nowhere = _U(starts[tiles])
    for tile in range(_U(ends.shape[0])):
        ends[tile] = starts[tile] if tile < tiles else nowhere
    for i in range(_U(count)):
        x_from = _U(bounds[i, 0])
        x_to = _U(bounds[i, 1] - 1)
        y_from = _U(bounds[i, 2])
        y_to = _U(bounds[i, 3] - 1)
        column = x_from >> _TILE_BITS
        row = y_from >> _TILE_BITS
        # Blocks, counted from the first tile on.
        left = (x_from >> _U(2)) & _U(3)
        right = (x_to >> _U(2)) - (column << _U(2))
        top = (y_from >> _U(2)) & _U(3)
        bottom = (y_to >> _U(2)) - (row << _U(2))
        first = row * _U(columns) + column
        entry = (_U(keys[i]) << _U(48)) | _U(i)
        if (right | bottom) < _U(8):
            across = (_U(2) << right) - (_U(1) << left)
            down = ((_U(16) << (bottom << _U(2))) - (_U(1) << (top << _U(2)))) & _DOWN
            near = across & _U(15)
            far = across >> _U(4)
            upper = down & _U(0x1111)
            lower = down >> _U(16)
            below = first + _U(columns)
            _put(entry, near * upper, first, nowhere, ends, entries)
            _put(entry, far * upper, first + _U(1), nowhere, ends, entries)
            _put(entry, near * lower, below, nowhere, ends, entries)
            _put(entry, far * lower, below + _U(1), nowhere, ends, entries)
        else:
            for y in range((bottom >> _U(2)) + _U(1)):
                above = max(top, y << _U(2)) & _U(3)
                under = min(bottom - (y << _U(2)), _U(3))
                down = (_U(16) << (under << _U(2))) - (_U(1) << (above << _U(2)))
                for x in range((right >> _U(2)) + _U(1)):
                    before = max(left, x << _U(2)) & _U(3)
                    after = min(right - (x << _U(2)), _U(3))
                    across = (_U(2) << after) - (_U(1) << before)
                    mask = across * (down & _U(0x1111))
                    tile = first + x + y * _U(columns)
                    _put(entry, mask, tile, nowhere, ends, entries)


@kernel
def _put(
    entry: np.uint64,
    mask: np.uint64,
    tile: np.uint64,
    nowhere: np.uint64,
    ends: Ints,
    entries: Entries,
) -> None:
    """At the end of a tile's list, or where it touches none of its blocks, nowhere."""
    at = _U(ends[tile])
    entries[at if mask != _U(0) else nowhere] = entry | (mask << _U(32))
    ends[tile] = at + _U(mask != _U(0))


@kernel
def longest_list(starts: Ints) -> int:  # [tiles + 1]
    """How many splats the longest list has."""
    longest = 0
    for tile in range(starts.shape[0] - 1):
        longest = max(longest, starts[tile + 1] - starts[tile])
    return int(longest)
