"""Tile lists against a plain count of what touches what."""

from __future__ import annotations

import numpy as np

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render import splats
from lipstream.render.kernels import kernel
from lipstream.render.kernels.vector import LANES, load, stack_ints, whole
from lipstream.render.splats.tiles import REACH_INTS, note_touched, touch_tiles

ROWS, COLUMNS = 5, 7
_U = np.uint64


@kernel
def _touch(
    bounds: Floats,  # [4, N] x from, x to, y from, y to; N in eights
    columns: int,
    touched: Ints,  # [N, 3]
    corners: Ints,
) -> int:
    reach = stack_ints(REACH_INTS)
    count = _U(0)
    row = _U(bounds.shape[1])
    for at in range(_U(0), row, _U(LANES)):
        touch_tiles(
            whole(load(bounds, at)),
            whole(load(bounds, row + at)),
            whole(load(bounds, _U(2) * row + at)),
            whole(load(bounds, _U(3) * row + at)),
            columns,
            reach,
        )
        for lane in range(_U(LANES)):
            count += note_touched(reach, lane, count, touched, corners)
    return int(count)


def test_every_tile_lists_what_touches_it_in_the_order_of_depth() -> None:
    rng = np.random.default_rng(0)
    x = np.sort(rng.integers(0, 16 * COLUMNS + 1, (150, 2)))  # of all sizes
    y = np.sort(rng.integers(0, 16 * ROWS + 1, (150, 2)))
    rectangles = np.concatenate([x, y], axis=1)
    small = rng.integers(0, 60, (100, 2))
    rectangles = np.concatenate([rectangles, small[:, [0, 0, 1, 1]] + [0, 5, 0, 6]])
    rectangles = rectangles[: len(rectangles) // LANES * LANES]
    bounds = rectangles[(rectangles[:, [1, 3]] > rectangles[:, [0, 2]]).all(axis=1)]
    assert len(bounds) < len(rectangles)  # some are not seen
    keys = rng.integers(0, 2**16, len(bounds)).astype(np.uint16)
    keys[::3] = 7  # as far as each other: in their own order
    starts = np.empty(ROWS * COLUMNS + 1, np.int32)
    ends = np.zeros(ROWS * COLUMNS + ROWS + COLUMNS + 1, np.int32)
    touched = np.empty((len(rectangles) + 1, splats.TOUCH_WIDTH), np.int32)
    packed = np.ascontiguousarray(rectangles.T, np.float32)
    assert _touch(packed, COLUMNS, touched, ends) == len(bounds)
    length = splats.count_tiles(COLUMNS, ends, starts)
    entries, sorting = np.empty((2, length + ROWS * COLUMNS + 1), np.uint64)
    members, masks = np.empty(length, np.int32), np.empty(length, np.uint16)
    splats.fill_tiles(touched, keys, len(bounds), COLUMNS, starts, ends, entries)
    splats.sort_tiles(starts, entries, sorting, members, masks)
    assert starts[0] == 0
    assert starts[-1] == length
    for tile in range(ROWS * COLUMNS):
        top, left = 16 * (tile // COLUMNS), 16 * (tile % COLUMNS)
        expected = []
        for splat in np.argsort(keys, kind="stable"):
            x_from, x_to, y_from, y_to = bounds[splat]
            touched = np.zeros((16, 16), bool)
            touched[max(0, y_from - top) : max(0, y_to - top)][
                :, max(0, x_from - left) : max(0, x_to - left)
            ] = True
            blocks = touched.reshape(4, 4, 4, 4).any(axis=(1, 3)).ravel()
            if blocks.any():
                expected.append((splat, int(blocks @ (1 << np.arange(16)))))
        listed = slice(starts[tile], starts[tile + 1])
        assert list(zip(members[listed], masks[listed], strict=True)) == expected
