"""Motion: what a face does over time, apart from whose face it is.

Conventions. Blendshapes are ARKit's, 0 at rest and 1 at the full extent. Angles are radians:
positive pitch looks up, positive yaw turns to the person's own left (right in the picture),
positive roll tilts the head to the person's own left shoulder. Translation is millimetres along
(person's left, up, towards the camera).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.face.arkit import BLENDSHAPE_COUNT

__all__ = ["Floats", "Motion"]

Floats: TypeAlias = NDArray[np.float32]

_WIDTHS = {"blendshapes": BLENDSHAPE_COUNT, "rotation": 3, "translation": 3, "gaze": 4}


@dataclass(frozen=True, slots=True)
class Motion:
    """`T` frames of facial motion at a constant rate.

    Raises:
        BadInput: shapes disagree, or a value is not finite.
    """

    blendshapes: Floats  # [T, 52] ARKit order, 0..1
    rotation: Floats  # [T, 3] head pitch, yaw, roll; radians
    translation: Floats  # [T, 3] head, mm
    gaze: Floats  # [T, 4] left yaw, left pitch, right yaw, right pitch; radians
    fps: float = 25.0

    def __post_init__(self) -> None:
        for name, width in _WIDTHS.items():
            array = getattr(self, name)
            if array.shape != (len(self.blendshapes), width):
                raise BadInput(
                    f"Motion.{name} has shape {array.shape}; "
                    f"({len(self.blendshapes)}, {width}) was expected."
                )
            if not np.isfinite(array).all():
                raise BadInput(f"Motion.{name} holds values that are not finite.")

    def __len__(self) -> int:
        return len(self.blendshapes)

    def __getitem__(self, frames: slice) -> Motion:
        return Motion(
            self.blendshapes[frames],
            self.rotation[frames],
            self.translation[frames],
            self.gaze[frames],
            self.fps,
        )

    @classmethod
    def rest(cls, frames: int, fps: float = 25.0) -> Self:
        """A face at rest, looking at the camera."""
        arrays = {name: np.zeros((frames, w), np.float32) for name, w in _WIDTHS.items()}
        return cls(fps=fps, **arrays)

    @classmethod
    def concatenate(cls, parts: Iterable[Motion]) -> Self:
        """Join consecutive pieces of one motion."""
        pieces = list(parts)
        if not pieces:
            return cls.rest(0)
        arrays = {name: np.concatenate([getattr(p, name) for p in pieces]) for name in _WIDTHS}
        return cls(fps=pieces[0].fps, **arrays)
