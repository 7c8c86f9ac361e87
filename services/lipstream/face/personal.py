"""How one person's face differs from what the rig makes of a single photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.face.landmarks import MESH_COUNT

__all__ = ["PersonalShapes"]

Field = NDArray[np.float64]  # [468, 3] mm, head frame


@dataclass(frozen=True, slots=True)
class PersonalShapes:
    """Corrections of the face at rest and of its shapes at weight 1."""

    rest: Field
    shapes: Mapping[str, Field]

    @classmethod
    def unknown(cls) -> PersonalShapes:
        """Nobody in particular."""
        return cls(np.zeros((MESH_COUNT, 3)), {})

    def added_to(self, shapes: Mapping[str, Field]) -> dict[str, Field]:
        """The rig's shapes as this person makes them."""
        return {name: field + self.shapes.get(name, 0.0) for name, field in shapes.items()}

    def plus(self, other: PersonalShapes) -> PersonalShapes:
        """Both corrections, one after the other."""
        names = self.shapes.keys() | other.shapes.keys()
        none = np.zeros((MESH_COUNT, 3))
        return PersonalShapes(
            self.rest + other.rest,
            {name: self.shapes.get(name, none) + other.shapes.get(name, none) for name in names},
        )
