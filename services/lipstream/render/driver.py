"""What turns facial motion into the weights of a model's own shapes and colours."""

from __future__ import annotations

from typing import Protocol

from lipstream.face import drive
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats

__all__ = ["Driver", "FaceDriver"]


class Driver(Protocol):
    """A rig's controls. Implementations keep no state: any thread may call them."""

    def shape_weights(
        self,
        model: AvatarModel,
        blendshapes: Floats,  # [52]
        gaze: Floats,  # [4] radians
    ) -> Floats:  # [K]
        """Weights of the model's shapes, ARKit's and its private ones."""
        ...

    def color_weights(
        self,
        model: AvatarModel,
        shape_weights: Floats,  # [K]
        vertices: Floats,  # [V, 3] mm, deformed, head frame
    ) -> Floats:  # [J]
        """Weights of the model's colour shapes."""
        ...


class FaceDriver:
    """The controls of the rig in `lipstream.face`."""

    def shape_weights(self, model: AvatarModel, blendshapes: Floats, gaze: Floats) -> Floats:
        return drive.shape_weights(model, blendshapes, gaze)

    def color_weights(self, model: AvatarModel, shape_weights: Floats, vertices: Floats) -> Floats:
        return drive.color_weights(model, shape_weights, vertices)
