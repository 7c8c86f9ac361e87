"""Displacements of the mouth, written as functions of where a point lies on the lips.

Every lip point has a lip (-1 upper, +1 lower), a ring (see `Ring`) and a place along the lip
from -1 (the person's right corner) to 1 (left corner). Shapes are formulas over those
coordinates, so the same formula fits every face.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lipstream.face.cage import Cage
from lipstream.face.landmarks import (
    BROWS,
    EYES,
    FACE_OVAL,
    LOWER_LIP,
    NOSE,
    UPPER_FACE,
    UPPER_LIP,
)

__all__ = ["ALONG", "BULGE", "LIP", "LIP_POINTS", "STILL", "LipField", "per_ring"]

Grid = NDArray[np.float64]

LIP_POINTS = np.array([UPPER_LIP, LOWER_LIP])  # [2, 5, 11] landmarks by lip, ring, place
LIP = np.array([-1.0, 1.0])[:, None, None]  # [2, 1, 1]
ALONG = np.linspace(-1, 1, 11)[None, None, :]  # [1, 1, 11]
BULGE = np.cos(np.pi / 2 * ALONG).clip(0)
"""1 in the middle of the lip, 0 at the corners."""

STILL = frozenset(
    (
        *FACE_OVAL,
        *NOSE,
        *UPPER_FACE,
        *(index for eye in EYES.values() for index in eye.points),
        *(index for brow in BROWS.values() for index in brow.points),
        *(116, 345, 117, 346, 118, 347, 123, 352, 227, 447, 137, 366, 177, 401),
    )
)
"""Landmarks that no movement of the lips reaches."""


def per_ring(inner: float, wet: float, vermilion: float, border: float, skin: float) -> Grid:
    """A factor for each ring, `# [1, 5, 1]`."""
    return np.array([inner, wet, vermilion, border, skin])[None, :, None]


class LipField:
    """Turns formulas over lip coordinates into fields over the whole cage."""

    def __init__(self, cage: Cage) -> None:
        self._cage = cage

    def spread(
        self,
        dx: Grid | float = 0.0,
        dy: Grid | float = 0.0,
        dz: Grid | float = 0.0,
        *,
        extra: Mapping[int, Sequence[float]] | None = None,
        held: Iterable[int] = STILL,
    ) -> NDArray[np.float64]:  # [468, 3] mm
        """The field whose value on the lips is (dx, dy, dz), each broadcastable to [2, 5, 11].

        Args:
            extra: further handles, such as the cheeks of a smile.
        """
        grid = np.stack([np.broadcast_to(d, LIP_POINTS.shape) for d in (dx, dy, dz)], -1)
        values = grid.astype(float)
        # Both lips own the corners: they meet half way.
        for end in (0, -1):
            values[:, :, end] = values[:, :, end].mean(0)
        handles: dict[int, Sequence[float] | NDArray[np.float64]] = {
            int(index): value
            for index, value in zip(LIP_POINTS.reshape(-1), values.reshape(-1, 3), strict=True)
        }
        handles.update(extra or {})
        return self._cage.spread(handles, held)
