"""One frame as the renderer takes it: weights of the model's own shapes, and where the head is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.motion import Floats

__all__ = ["Pose"]


def _zeros() -> Floats:
    return np.zeros(3, np.float32)


@dataclass(frozen=True, slots=True)
class Pose:
    """What to draw. Build it by hand for a fit; `Renderer.pose` builds it from motion.

    Raises:
        BadInput: a shape is wrong, or a value is not finite.
    """

    shape_weights: Floats  # [K] one per name of the model's shapes
    rotation: Floats = field(default_factory=_zeros)  # [3] pitch, yaw, roll; radians
    translation: Floats = field(default_factory=_zeros)  # [3] left, up, towards the camera; mm
    color_weights: Floats | None = None  # [J]; None derives them from what the face does

    def __post_init__(self) -> None:
        for name in ("rotation", "translation"):
            if np.shape(getattr(self, name)) != (3,):
                raise BadInput(f"Pose.{name} has shape {np.shape(getattr(self, name))}, not (3,).")
        for name in ("shape_weights", "rotation", "translation", "color_weights"):
            value = getattr(self, name)
            if value is not None and not np.isfinite(value).all():
                raise BadInput(f"Pose.{name} holds values that are not finite.")
