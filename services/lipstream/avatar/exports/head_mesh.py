"""An avatar as a textured mesh with ARKit's blendshapes, for programs that draw triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.exports.atlas import bake_atlas, mesh_pieces
from lipstream.avatar.exports.cloud import SINK_MM
from lipstream.errors import BadInput
from lipstream.face.arkit import BLENDSHAPE_COUNT
from lipstream.face.drive import shape_weights
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats
from lipstream.render import Pose

__all__ = ["HeadMesh", "bake_mesh"]

_TO_GLTF = np.array([1, -1, -1], np.float32) * np.float32(1e-3)
"""From the rig's frame (y down, z away; mm) to glTF's (y up, z to the viewer; metres)."""


_MOST_PIECES = 64


@dataclass(frozen=True, slots=True)
class HeadMesh:
    """Metres: x to the person's left, y up, z to the viewer; the origin is the bridge of the nose.

    Vertex `v` is at `positions[v] + sum(weights[k] * targets[k, v])`, turned with the head about
    `pivot` by its head weight.
    """

    positions: Floats  # [V, 3] at rest
    triangles: NDArray[np.uint32]  # [F, 3] counter-clockwise from outside
    targets: Floats  # [52, V, 3] ARKit's order
    head_weights: Floats  # [V] 1 moves with the head, 0 stays with the torso
    pivot: Floats  # [3]
    texture: NDArray[np.uint8]  # [H, W, 4] sRGB, straight alpha
    texture_coordinates: Floats  # [V, 2] 0..1 from the left and from the top


def bake_mesh(model: AvatarModel) -> HeadMesh:
    """The mesh under the Gaussians, in their colours.

    Raises:
        BadInput: there is no mesh, only Gaussians on triangles of their own.
    """
    surface = model.surface
    if int(mesh_pieces(model).max()) >= _MOST_PIECES:
        raise BadInput(
            "The avatar is made of loose Gaussians; there is no mesh to write.",
            remedy="Export it as .ply.",
            code="not_exportable",
        )
    no_gaze = np.zeros(4, np.float32)
    rest = shape_weights(model, np.zeros(BLENDSHAPE_COUNT, np.float32), no_gaze)
    # What each ARKit shape does to all shapes of the model: a rounded mouth ends a smile.
    each = np.eye(BLENDSHAPE_COUNT, dtype=np.float32)
    driven = np.stack([shape_weights(model, one, no_gaze) for one in each])
    fields = np.zeros((len(rest), len(surface.vertices), 3), np.float32)
    rows = np.repeat(np.arange(len(surface.vertices)), np.diff(surface.shapes.offsets))
    np.add.at(fields, (surface.shapes.ids, rows), surface.shapes.vectors)
    atlas = bake_atlas(model, Pose(rest))
    at_rest = _sunk(model, surface.vertices + np.tensordot(rest, fields, 1))
    return HeadMesh(
        positions=at_rest * _TO_GLTF,
        triangles=surface.triangles.astype(np.uint32),
        targets=np.tensordot(driven - rest, fields, 1) * _TO_GLTF,
        head_weights=surface.head_weights,
        pivot=surface.head_pivot * _TO_GLTF,
        texture=atlas.pixels,
        texture_coordinates=atlas.coordinates,
    )


def _sunk(model: AvatarModel, vertices: Floats) -> Floats:
    """Vertices of pieces that are drawn behind their place, moved there; see `cloud.SINK_MM`."""
    pieces = mesh_pieces(model)
    of_gaussian = pieces[model.surface.triangles[model.gaussians.triangle_ids, 0]]
    bias = np.zeros(pieces.max() + 1, np.float32)
    for piece in np.unique(of_gaussian):
        bias[piece] = np.median(model.gaussians.depth_bias[of_gaussian == piece])
    camera = model.surface.head_to_camera
    eye = -camera[:, :3].T @ camera[:, 3]
    depths = vertices @ camera[2, :3] + camera[2, 3]
    sink = np.clip(bias[pieces], -SINK_MM, SINK_MM) / depths
    sunk: Floats = vertices + (vertices - eye) * sink[:, None]
    return sunk
