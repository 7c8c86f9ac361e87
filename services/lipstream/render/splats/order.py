"""Depths as keys, and the tiles' lists by them, nearest first."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render.kernels import kernel
from lipstream.render.kernels.vector import stack_ints
from lipstream.render.splats.tiles import Entries, Masks

__all__ = ["Keys", "depth_keys", "sort_tiles"]

Keys: TypeAlias = NDArray[np.uint16]

_U = np.uint64


@kernel
def depth_keys(
    depths: Floats,  # [N] mm, the first `count` in use
    count: int,
    keys: Keys,  # [N] out
) -> None:
    """Depths are quantised to 16 bits between this frame's nearest and farthest: 5 micrometres on a
    head of 30 cm, far below what a fit can tell apart.
    """
    if count == 0:
        return
    nearest = depths[0]
    farthest = depths[0]
    for i in range(_U(count)):
        nearest = min(nearest, depths[i])
        farthest = max(farthest, depths[i])
    scale = np.float32(65535) / max(farthest - nearest, np.float32(1e-6))
    for i in range(_U(count)):
        keys[i] = np.uint16((depths[i] - nearest) * scale)


@kernel
def sort_tiles(
    starts: Ints,  # [tiles + 1]
    entries: Entries,  # splats by tile, from `fill_tiles`
    sorting: Entries,  # [the longest list] scratch
    members: Ints,  # [as many as entries] out: splats by tile, nearest first
    masks: Masks,  # [as many] out: the blocks that each of them touches
) -> None:
    """Stable radix sort of each list, two passes of 8 bits: it stays in the nearest cache."""
    places = stack_ints(512)
    for tile in range(_U(starts.shape[0] - 1)):
        begin = _U(starts[tile])
        end = _U(starts[tile + _U(1)])
        if begin == end:
            continue
        for digit in range(_U(512)):
            places[digit] = 0
        # There is a place between two lists of entries.
        for q in range(begin + tile, end + tile):
            key = entries[q] >> _U(48)
            places[key & _U(255)] += 1
            places[_U(256) + (key >> _U(8))] += 1
        low = 0
        high = 0
        for digit in range(_U(256)):
            here = places[digit]
            places[digit] = low
            low += here
            here = places[_U(256) + digit]
            places[_U(256) + digit] = high
            high += here
        for q in range(begin + tile, end + tile):
            entry = entries[q]
            digit = (entry >> _U(48)) & _U(255)
            sorting[_U(places[digit])] = entry
            places[digit] += 1
        for q in range(end - begin):
            entry = sorting[q]
            digit = _U(256) + (entry >> _U(56))
            at = begin + _U(places[digit])
            members[at] = np.int32(entry & _U(0xFFFFFFFF))
            masks[at] = np.uint16((entry >> _U(32)) & _U(0xFFFF))
            places[digit] += 1
