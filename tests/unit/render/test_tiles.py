"""Tile lists against a plain count of what touches what."""

from __future__ import annotations

import numpy as np

from lipstream.render import splats

ROWS, COLUMNS = 5, 7


def test_every_tile_lists_what_touches_it_in_the_order_of_depth() -> None:
    rng = np.random.default_rng(0)
    x = np.sort(rng.integers(0, 16 * COLUMNS + 1, (150, 2)))  # of all sizes
    y = np.sort(rng.integers(0, 16 * ROWS + 1, (150, 2)))
    rectangles = np.concatenate([x, y], axis=1)
    small = rng.integers(0, 60, (100, 2))
    rectangles = np.concatenate([rectangles, small[:, [0, 0, 1, 1]] + [0, 5, 0, 6]])
    bounds = rectangles[(rectangles[:, [1, 3]] > rectangles[:, [0, 2]]).all(axis=1)]
    bounds = np.ascontiguousarray(bounds, np.int16)
    keys = rng.integers(0, 2**16, len(bounds)).astype(np.uint16)
    keys[::3] = 7  # as far as each other: in their own order
    starts = np.empty(ROWS * COLUMNS + 1, np.int32)
    ends = np.empty(ROWS * COLUMNS + ROWS + COLUMNS + 1, np.int32)
    length = splats.count_tiles(bounds, len(bounds), COLUMNS, ends, starts)
    entries, sorting = np.empty((2, length + 1), np.uint64)
    members, masks = np.empty(length, np.int32), np.empty(length, np.uint16)
    splats.fill_tiles(bounds, keys, len(bounds), COLUMNS, starts, ends, entries)
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
