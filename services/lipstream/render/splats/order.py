"""One order of depth for the whole picture, nearest first."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render.kernels import kernel

__all__ = ["Keys", "depth_order"]

Keys: TypeAlias = NDArray[np.uint16]


@kernel
def depth_order(
    depths: Floats,  # [N] mm, the first `count` in use
    count: int,
    keys: Keys,  # [N] scratch
    scratch: Ints,  # [N]
    order: Ints,  # [N] out
    histogram: Ints,  # [512] scratch
) -> None:
    """Stable radix sort, two passes of 8 bits.

    Depths are quantised to 16 bits between this frame's nearest and farthest: 5 micrometres on a
    head of 30 cm, far below what a fit can tell apart.
    """
    if count == 0:
        return
    nearest = depths[0]
    farthest = depths[0]
    for i in range(count):
        nearest = min(nearest, depths[i])
        farthest = max(farthest, depths[i])
    scale = np.float32(65535) / max(farthest - nearest, np.float32(1e-6))
    histogram[:] = 0
    for i in range(count):
        key = np.uint16((depths[i] - nearest) * scale)
        keys[i] = key
        histogram[key & 255] += 1
        histogram[256 + (key >> 8)] += 1
    low = 0
    high = 0
    for b in range(256):
        here = histogram[b]
        histogram[b] = low
        low += here
        here = histogram[256 + b]
        histogram[256 + b] = high
        high += here
    for i in range(count):
        b = keys[i] & 255
        scratch[histogram[b]] = i
        histogram[b] += 1
    for j in range(count):
        i = scratch[j]
        b = 256 + (keys[i] >> 8)
        order[histogram[b]] = i
        histogram[b] += 1
