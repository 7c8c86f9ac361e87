"""An avatar in one pose as free Gaussians, bound to nothing: what splat viewers draw."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from lipstream.face.drive import color_weights
from lipstream.face.model import AvatarModel
from lipstream.render import Pose, reference

__all__ = ["SINK_MM", "GaussianCloud", "bake_cloud"]

_M_PER_MM = 1e-3
_THICKNESS_M = 1e-5
"""Ours are flat discs; a viewer's Gaussians have a third axis, and its logarithm must exist."""
_LEAST_OPACITY = 1 / 255
SINK_MM = 4.0
"""Viewers know no depth bias, so what is to be drawn behind its place is moved there, seen from the
camera of the photo; no further than this, or it would show from the side."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GaussianCloud:
    """Gaussians in metres: x to the person's left, y down, z away from the viewer.

    That is the frame of COLMAP and of the original 3DGS, which viewers expect. The origin is the
    bridge of the nose.
    """

    positions: Doubles  # [N, 3]
    rotations: Doubles  # [N, 4] unit quaternions w, x, y, z
    scales: Doubles  # [N, 3] standard deviations
    opacities: Doubles  # [N] 0..1
    colors: Doubles  # [N, 3] sRGB, 0..1


def bake_cloud(model: AvatarModel, pose: Pose) -> GaussianCloud:
    """The Gaussians that are seen from the camera of the photo, where the pose puts them.

    Those that face away are left out, as when the avatar is drawn: nobody fitted them.

    Raises:
        BadInput: the pose does not belong to the model.
    """
    model = replace(model, torso=None)  # it is not among them, and so nothing goes along with it
    camera = model.surface.head_to_camera.astype(np.float64)
    turn, shift = camera[:, :3], camera[:, 3]
    still = Pose(pose.shape_weights)
    head = (reference.camera_vertices(model, still) - shift) @ turn
    tints = color_weights(model, pose.shape_weights, head.astype(np.float32))
    placed = reference.place(model, reference.camera_vertices(model, pose))
    seen = placed.opacities >= _LEAST_OPACITY
    points, axes = placed.points[seen], placed.axes[seen]

    depths = points[:, 2]
    sink = 1 + np.clip(model.gaussians.depth_bias[seen], -SINK_MM, SINK_MM) / depths
    directions, spreads, _ = np.linalg.svd(turn.T @ axes * sink[:, None, None])
    directions[..., 2] *= np.linalg.det(directions)[:, None]
    spreads = np.pad(spreads * _M_PER_MM, ((0, 0), (0, 1)))
    return GaussianCloud(
        positions=(points * sink[:, None] - shift) @ turn * _M_PER_MM,
        rotations=Rotation.from_matrix(directions).as_quat(scalar_first=True),
        scales=np.maximum(spreads, _THICKNESS_M),
        opacities=placed.opacities[seen],
        colors=np.clip(reference.tinted(model, tints)[seen], 0, 1),
    )
