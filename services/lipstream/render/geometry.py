"""From what the face does to where its vertices are: shapes, then the head's pose, then the camera.

Motion counts up and towards the camera as positive; the rig's frame has y down and z away (see
`lipstream.face.model`). The change of signs happens here and nowhere else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.face.model import Ints, SparseShapes, Surface
from lipstream.face.motion import Floats
from lipstream.render.kernels import kernel

__all__ = [
    "Doubles",
    "ShapeColumns",
    "deform",
    "head_affine",
    "pose_vertices",
    "rotation_matrix",
    "shapes_by_name",
    "tint",
    "torso_affine",
]

Doubles: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ShapeColumns:
    """`SparseShapes`, one shape after the other."""

    offsets: Ints  # [K + 1]
    ids: Ints  # [E] vertex of each entry
    vectors: Floats  # [E, 3] mm at weight 1


@kernel
def deform(
    offsets: Ints,  # [K + 1] first entry of each shape
    ids: Ints,  # [E] vertex of each entry
    vectors: Floats,  # [E, 3] at weight 1
    weights: Floats,  # [K]
    out: Floats,  # [V, 3] in: at rest
) -> None:
    """Add the weighted shapes; those of weight 0 cost nothing."""
    for k in range(weights.shape[0]):
        weight = weights[k]
        if weight == np.float32(0):
            continue
        for e in range(offsets[k], offsets[k + 1]):
            v = ids[e]
            out[v, 0] += weight * vectors[e, 0]
            out[v, 1] += weight * vectors[e, 1]
            out[v, 2] += weight * vectors[e, 2]


@kernel
def tint(
    plain: Floats,  # [N, 3]
    offsets: Ints,  # [J + 1] first entry of each colour shape
    ids: Ints,  # [E] Gaussian of each entry
    vectors: Floats,  # [E, 3] at weight 1
    weights: Floats,  # [J]
    out: Floats,  # [N, 3] plain, or tinted by these shapes with other weights
) -> None:
    """Add the weighted colour shapes to plain colours; what no shape tints is not touched."""
    for e in range(ids.shape[0]):
        for k in range(3):
            out[ids[e], k] = plain[ids[e], k]
    deform(offsets, ids, vectors, weights, out)


@kernel
def pose_vertices(
    vertices: Floats,  # [V, 3] mm, head frame
    head_weights: Floats,  # [V]
    still: Floats,  # [3, 4] head frame to camera frame, for what stays with the torso
    moved: Floats,  # [3, 4] the same for what moves with the head
    out: Floats,  # [V, 3] mm, camera frame
) -> None:
    """Take the vertices to the camera frame, blending the head's motion by its weights."""
    for v in range(vertices.shape[0]):
        x = vertices[v, 0]
        y = vertices[v, 1]
        z = vertices[v, 2]
        w = head_weights[v]
        for k in range(3):
            a = still[k, 0] * x + still[k, 1] * y + still[k, 2] * z + still[k, 3]
            b = moved[k, 0] * x + moved[k, 1] * y + moved[k, 2] * z + moved[k, 3]
            out[v, k] = a + w * (b - a)


def shapes_by_name(shapes: SparseShapes) -> ShapeColumns:
    """The model stores shapes by vertex; a frame uses few of the shapes, so turn them round."""
    vertices = np.repeat(np.arange(len(shapes.offsets) - 1), np.diff(shapes.offsets))
    order = np.argsort(shapes.ids.astype(np.uint16), kind="stable")  # by radix, in a tenth
    offsets = np.searchsorted(shapes.ids[order], np.arange(len(shapes.names) + 1))
    return ShapeColumns(
        offsets=offsets.astype(np.int32),
        ids=vertices[order].astype(np.int32),
        vectors=np.array(shapes.vectors[order], np.float32, order="C"),
    )


def rotation_matrix(rotation: Floats | Doubles) -> Doubles:
    """Pitch, yaw, roll [3] in radians to a matrix [3, 3] in the rig's frame.

    Roll is applied first, then pitch, then yaw. The face looks along -z: positive pitch turns
    that to -y (up), positive yaw to +x (the person's left); positive roll tilts the crown to +x.
    """
    cp, cy, cr = (math.cos(angle) for angle in rotation)
    sp, sy, sr = (math.sin(angle) for angle in rotation)
    return np.array(
        [
            [cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, -sy * cp],
            [cp * sr, cp * cr, sp],
            [sy * cr - cy * sp * sr, -sy * sr - cy * sp * cr, cy * cp],
        ]
    )


def torso_affine(surface: Surface, shift: Floats) -> Floats:
    """The map [3, 4] from the head frame to the camera frame of what stays with the torso.

    Args:
        shift: of the torso [2], mm to the person's left and up.
    """
    affine: Floats = np.array(surface.head_to_camera, np.float32, order="C")
    affine[:, 3] += affine[:, :2] @ (shift * np.array([1, -1], np.float32))
    return affine


def head_affine(surface: Surface, rotation: Floats, translation: Floats) -> Floats:
    """The map [3, 4] from the head frame to the camera frame of what moves with the head.

    Args:
        rotation: pitch, yaw, roll [3], radians, about `surface.head_pivot`.
        translation: [3] mm along (person's left, up, towards the camera).
    """
    turn = rotation_matrix(rotation)
    pivot = surface.head_pivot.astype(np.float64)
    shift = pivot - turn @ pivot + translation * np.array([1.0, -1.0, -1.0])
    camera = surface.head_to_camera.astype(np.float64)
    affine = np.empty((3, 4), np.float32)
    affine[:, :3] = camera[:, :3] @ turn
    affine[:, 3] = camera[:, :3] @ shift + camera[:, 3]
    return affine
