"""Which splats touch which tile of 16x16 pixels.

Tiles are filled in the picture's order of depth, so no tile is sorted by itself.
"""

from __future__ import annotations

from lipstream.face.model import Ints
from lipstream.render.splats.jit import kernel
from lipstream.render.splats.projection import Bounds

__all__ = ["count_tiles", "fill_tiles"]


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
) -> None:
    """Write each splat into the lists of the tiles that its bounds touch."""
    for tile in range(ends.shape[0]):
        ends[tile] = starts[tile]
    for j in range(count):
        i = order[j]
        left = bounds[i, 0] >> 4
        right = ((bounds[i, 1] - 1) >> 4) + 1
        for row in range(bounds[i, 2] >> 4, ((bounds[i, 3] - 1) >> 4) + 1):
            for column in range(left, right):
                tile = row * columns + column
                members[ends[tile]] = i
                ends[tile] += 1
