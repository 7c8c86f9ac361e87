"""What turns facial motion into the weights of a model's own shapes and colours."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from lipstream.errors import BadInput
from lipstream.face import drive
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats
from lipstream.render.pose import Pose

__all__ = ["Driver", "FaceDriver", "color_weights_of", "shape_weights_of"]


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


def shape_weights_of(pose: Pose, model: AvatarModel) -> Floats:  # [K]
    """A pose's shape weights as kernels take them.

    Raises:
        BadInput: the pose does not belong to this model.
    """
    weights = np.ascontiguousarray(pose.shape_weights, np.float32)
    names = model.surface.shapes.names
    if weights.shape != (len(names),):
        raise BadInput(
            f"Pose.shape_weights has shape {weights.shape}; the avatar has {len(names)} shapes."
        )
    return weights


def color_weights_of(
    pose: Pose,
    model: AvatarModel,
    driver: Driver,
    shape_weights: Floats,  # [K]
    vertices: Floats,  # [V, 3] mm, deformed, head frame
) -> Floats:  # [J]
    """A pose's colour weights, or those that the driver derives where it has none.

    Raises:
        BadInput: the pose does not belong to this model.
    """
    weights = pose.color_weights
    if weights is None:
        weights = driver.color_weights(model, shape_weights, vertices)
    names = model.color_shapes.names
    if np.shape(weights) != (len(names),):
        raise BadInput(
            f"Pose.color_weights has shape {np.shape(weights)}; the avatar has {len(names)} "
            "colour shapes."
        )
    return np.ascontiguousarray(weights, np.float32)
