"""Which vertices of a mesh are its lips, its upper face, and the pairs across its mouth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from lipstream.face.landmarks import BROWS, EYES, LOWER_LIP, UPPER_FACE, UPPER_LIP, Ring

__all__ = ["OPENING_PAIRS", "REFERENCE_SET", "VertexSet"]

Indices = NDArray[np.int64]
Pairs = tuple[tuple[int, ...], tuple[int, ...]]

OPENING_PAIRS: Mapping[int, Pairs] = MappingProxyType(
    {
        5023: ((2865, 2866, 3546, 1751, 1750), (2907, 2938, 3504, 1849, 1804)),
        23370: ((366, 12773, 21688, 10235, 10117), (21538, 10665, 22962, 21152, 14028)),
    }
)
"""Upper and lower lip of the meshes of VOCASET (FLAME) and BIWI, by their vertex counts, as in
StreamingTalker's evaluation."""


@dataclass(frozen=True, slots=True)
class VertexSet:
    """What the vertex metrics look at; a metric whose vertices are unknown is left out."""

    unit: str
    """Of the coordinates; empty where the corpus does not say."""
    lips: Indices | None = None  # [n]
    upper_face: Indices | None = None  # [m]
    upper_lip: Indices | None = None  # [P] paired with
    lower_lip: Indices | None = None  # [P]

    @classmethod
    def of_mesh(
        cls,
        vertex_count: int,
        unit: str,
        lips: Indices | None = None,
        upper_face: Indices | None = None,
    ) -> VertexSet:
        """Of a corpus' mesh, with the regions that it brings; pairs where the mesh is known."""
        pairs = OPENING_PAIRS.get(vertex_count)
        if pairs is None:
            return cls(unit, lips, upper_face)
        return cls(unit, lips, upper_face, _indices(pairs[0]), _indices(pairs[1]))


def _indices(numbers: Sequence[int]) -> Indices:
    return np.array(numbers, np.int64)


def _rig_lips() -> Indices:
    rings = range(Ring.INNER, Ring.BORDER + 1)
    return np.unique([point for lip in (UPPER_LIP, LOWER_LIP) for k in rings for point in lip[k]])


def _rig_upper_face() -> Indices:
    lids = [point for eye in EYES.values() for point in eye.points]
    brows = [point for brow in BROWS.values() for point in brow.points]
    return np.unique([*lids, *brows, *UPPER_FACE])


REFERENCE_SET = VertexSet(
    "mm",
    lips=_rig_lips(),
    upper_face=_rig_upper_face(),
    upper_lip=_indices(UPPER_LIP[Ring.INNER][3:8]),
    lower_lip=_indices(LOWER_LIP[Ring.INNER][3:8]),
)
"""Of the reference face. Lips: both, from the line where they meet to the border of the red.
Upper face: lids with the folds beside them, brows, the middle of the forehead and the bridge of
the nose. Pairs: the middle five points of the inner lips."""
