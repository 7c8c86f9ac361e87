"""Which splats touch which tile of 16x16 pixels, and which blocks of it.

A tile is two columns of eight blocks, each 8 pixels wide and 2 high. Tiles are filled in the
picture's order of depth, so no tile is sorted by itself.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.face.model import Ints
from lipstream.render.splats.jit import kernel
from lipstream.render.splats.projection import Bounds

__all__ = ["BLOCKS", "MASKS_READ_AHEAD", "Masks", "count_tiles", "fill_tiles"]

Masks: TypeAlias = NDArray[np.uint16]
"""Bit k is block k of the tile: down the left column, then down the right one."""

BLOCKS = 16
MASKS_READ_AHEAD = 64
"""So many masks are read at once, also at the end of the last list."""


@kernel
def count_tiles(
    bounds: Bounds,  # [N, 4], the first `count` in use
    count: int,
    columns: int,
    starts: Ints,  # [tiles + 1] out: where each tile's list begins
) -> int:
    """Lay out the lists; return their whole length."""
    starts[:] = 0
    for i in range(count):
        left = bounds[i, 0] >> 4
        right = ((bounds[i, 1] - 1) >> 4) + 1
        for row in range(bounds[i, 2] >> 4, ((bounds[i, 3] - 1) >> 4) + 1):
            for column in range(left, right):
                starts[row * columns + column + 1] += 1
    for tile in range(1, starts.shape[0]):
        starts[tile] += starts[tile - 1]
    return int(starts[starts.shape[0] - 1])


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
    """Write each splat into the lists of the tiles that its bounds touch."""
    for tile in range(ends.shape[0]):
        ends[tile] = starts[tile]
    for j in range(count):
        i = order[j]
        x_from = bounds[i, 0]
        x_to = bounds[i, 1] - 1
        y_from = bounds[i, 2]
        y_to = bounds[i, 3] - 1
        for row in range(y_from >> 4, (y_to >> 4) + 1):
            top = max(y_from - 16 * row, 0) >> 1
            bottom = min(y_to - 16 * row, 15) >> 1
            rows = (2 << bottom) - (1 << top)
            for column in range(x_from >> 4, (x_to >> 4) + 1):
                middle = 16 * column + 8
                mask = rows if x_from < middle else 0
                if x_to >= middle:
                    mask |= rows << 8
                tile = row * columns + column
                at = ends[tile]
                members[at] = i
                masks[at] = mask
                ends[tile] = at + 1
