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
from lipstream.render.kernels.vector import (
    LANES,
    Int8,
    chosen,
    smaller,
    splat_int,
    store_ints,
)

__all__ = [
    "BLOCKS",
    "MASKS_READ_AHEAD",
    "REACH_INTS",
    "TOUCH_WIDTH",
    "Entries",
    "Masks",
    "count_tiles",
    "fill_tiles",
    "longest_list",
    "note_touched",
    "touch_tiles",
]

Masks: TypeAlias = NDArray[np.uint16]
"""Bit k is block k of the tile, row by row."""

Entries: TypeAlias = NDArray[np.uint64]
"""Of a splat in a tile: key of its depth, mask, number, in 16, 16 and 32 bits from above."""

BLOCKS = 16
MASKS_READ_AHEAD = 64
"""So many masks are read at once, also at the end of the last list."""
TOUCH_WIDTH = 3
"""Per splat: the first tile that it touches; masks of that one and the one to its right, 16 bits
each from below; and of the two under them. A splat that touches more has -1, and x from and to, y
from and to."""
REACH_INTS = 64
"""Scratch of `touch_tiles`, of which `note_touched` takes one lane."""

_U = np.uint64
_WIDTH = np.uint64(TOUCH_WIDTH)
_LANES = np.uint64(LANES)
_MASK = np.uint64(0xFFFF)
_DOWN = 0x11111111
"""The first block of each of eight rows."""


@kernel
def touch_tiles(
    x_from: Int8,  # px, not negative
    x_to: Int8,  # excluded; not more than `x_from` in splats that are not seen
    y_from: Int8,
    y_to: Int8,
    columns: int,
    reach: Ints,  # [64] out: eight splats' `TOUCH_WIDTH` numbers, whether they are seen, and the
    # corners of their rectangles of tiles
) -> None:
    """Find the tiles of eight splats, of nearly all at most two each way."""
    one = splat_int(1)
    two = splat_int(2)
    three = splat_int(3)
    four = splat_int(4)
    right_px = x_to - one
    bottom_px = y_to - one
    column = x_from >> four
    row = y_from >> four
    # Blocks, counted from the first tile on.
    left = (x_from >> two) & three
    right = (right_px >> two) - (column << two)
    top = (y_from >> two) & three
    bottom = (bottom_px >> two) - (row << two)
    small = smaller(right | bottom, splat_int(8))
    seven = splat_int(7)
    across = (two << (right & seven)) - (one << left)
    down = (splat_int(16) << ((bottom & seven) << two)) - (one << (top << two))
    down = down & splat_int(_DOWN)
    near = across & splat_int(15)
    far = across >> four
    upper = down & splat_int(0x1111)
    lower = down >> splat_int(16)
    sixteen = splat_int(16)
    first = row * splat_int(columns) + column
    store_ints(reach, _U(0), chosen(small, first, splat_int(-1)))
    masks = (near * upper) | ((far * upper) << sixteen)
    store_ints(reach, _LANES, chosen(small, masks, x_from | (x_to << sixteen)))
    masks = (near * lower) | ((far * lower) << sixteen)
    store_ints(reach, _U(2) * _LANES, chosen(small, masks, y_from | (y_to << sixteen)))
    store_ints(reach, _U(3) * _LANES, smaller(x_from, x_to) & smaller(y_from, y_to))
    width = splat_int(columns + 1)
    above = row * width
    below = ((bottom_px >> four) + one) * width
    beyond = (right_px >> four) + one
    store_ints(reach, _U(4) * _LANES, above + column)
    store_ints(reach, _U(5) * _LANES, above + beyond)
    store_ints(reach, _U(6) * _LANES, below + column)
    store_ints(reach, _U(7) * _LANES, below + beyond)


@kernel
def note_touched(
    reach: Ints,  # [64] from `touch_tiles`
    lane: int,
    at: np.uint64,
    touched: Ints,  # [N, 3] out: row `at`; to be overwritten if the splat is not seen
    corners: Ints,  # [tiles + columns + rows + 1] in and out: see `count_tiles`
) -> np.uint64:
    """Take down the tiles of one splat; return 1 if it is seen, else 0."""
    for k in range(_WIDTH):
        touched[at, k] = reach[k * _LANES + lane]
    seen = reach[_U(3) * _LANES + lane]
    corners[_U(reach[_U(4) * _LANES + lane])] += seen
    corners[_U(reach[_U(5) * _LANES + lane])] -= seen
    corners[_U(reach[_U(6) * _LANES + lane])] -= seen
    corners[_U(reach[_U(7) * _LANES + lane])] += seen
    return _U(seen)


@kernel
def count_tiles(
    columns: int,
    corners: Ints,  # [tiles + columns + rows + 1] of all splats' rectangles; not kept
    starts: Ints,  # [tiles + 1] out: where each tile's list begins
) -> int:
    """Lay out the lists; return their whole length.

    Each splat is noted at the corners of its rectangle of tiles alone: sums along the rows and
    down the columns then give how many rectangles hold a tile.
    """
    width = _U(columns + 1)
    rows = _U((starts.shape[0] - 1) // columns)
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
    touched: Ints,  # [N, 3] from `note_touched`
    keys: NDArray[np.uint16],  # [N] of their depths
    count: int,
    columns: int,
    starts: Ints,  # [tiles + 1]
    ends: Ints,  # [at least tiles + columns + 1] scratch
    entries: Entries,  # [more than starts[-1] + tiles] out: splats by tile, a place between two
) -> None:
    """Write each splat into the lists of the tiles that it touches.

    Nearly all are written to four lists, without a branch that could be mispredicted: where they
    touch nothing, to the place behind the list, which the next one overwrites.
    """
    tiles = _U(starts.shape[0] - 1)
    for place in range(_U(ends.shape[0])):
        last = place if place < tiles else tiles
        ends[place] = _U(starts[last]) + last
    for i in range(_U(count)):
        first = touched[i, 0]
        one = _U(np.uint32(touched[i, 1]))
        other = _U(np.uint32(touched[i, 2]))
        entry = (_U(keys[i]) << _U(48)) | _U(i)
        if first >= 0:
            tile = _U(first)
            _put(entry, one & _MASK, tile, ends, entries)
            _put(entry, one >> _U(16), tile + _U(1), ends, entries)
            tile += _U(columns)
            _put(entry, other & _MASK, tile, ends, entries)
            _put(entry, other >> _U(16), tile + _U(1), ends, entries)
        else:
            left = (one & _MASK) >> _U(2)
            right = ((one >> _U(16)) - _U(1)) >> _U(2)
            top = (other & _MASK) >> _U(2)
            bottom = ((other >> _U(16)) - _U(1)) >> _U(2)
            for row in range(top >> _U(2), (bottom >> _U(2)) + _U(1)):
                above = max(top, row << _U(2)) & _U(3)
                under = min(bottom - (row << _U(2)), _U(3))
                down = ((_U(16) << (under << _U(2))) - (_U(1) << (above << _U(2)))) & _U(0x1111)
                for column in range(left >> _U(2), (right >> _U(2)) + _U(1)):
                    before = max(left, column << _U(2)) & _U(3)
                    after = min(right - (column << _U(2)), _U(3))
                    across = (_U(2) << after) - (_U(1) << before)
                    _put(entry, across * down, row * _U(columns) + column, ends, entries)


@kernel
def _put(entry: np.uint64, mask: np.uint64, tile: np.uint64, ends: Ints, entries: Entries) -> None:
    """At the end of a tile's list, to stay there if it touches one of its blocks."""
    at = _U(ends[tile])
    entries[at] = entry | (mask << _U(32))
    ends[tile] = at + _U(mask != _U(0))


@kernel
def longest_list(starts: Ints) -> int:  # [tiles + 1]
    """How many splats the longest list has."""
    longest = 0
    for tile in range(starts.shape[0] - 1):
        longest = max(longest, starts[tile + 1] - starts[tile])
    return int(longest)
