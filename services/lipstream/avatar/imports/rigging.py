"""Bound Gaussians on a FLAME head as an avatar model of ours.

Each Gaussian gets a triangle of its own, spanned by its two longest axes: at rest, and at weight 1
of every shape, it is where GaussianAvatars would have it, and on straight lines between. The third
axis, the shortest, is dropped.
"""

from __future__ import annotations

import numpy as np

from lipstream.avatar.imports.arkit_flame import Expressions, arkit_targets
from lipstream.avatar.imports.flame import NECK, Doubles, FlameHead
from lipstream.avatar.imports.gaussian_avatar import BoundGaussians, place_triads
from lipstream.face.arkit import BLENDSHAPES, INDEX
from lipstream.face.head_frame import FOCAL
from lipstream.face.model import AvatarModel, ColorShapes, Gaussians, SparseShapes, Surface

__all__ = ["rig_gaussians"]

_TO_RIG = np.array([1e3, -1e3, -1e3])
"""From FLAME's frame (y up, z out of the face; metres) to ours (y down, z away; mm)."""
_CAMERA_MM = (0.0, -35.0, 1000.0)
"""Where the camera sees the middle of the eyes: a head and shoulders."""
_LEAST_MM = 0.05
"""Displacements below this are left out."""
_FACES_EVERYWHERE = -2.0
_BACKGROUND = 96
_PLATE_PX = 512


def rig_gaussians(
    gaussians: BoundGaussians, head: FlameHead, expressions: Expressions
) -> AvatarModel:
    """The model, before a grey background.

    Args:
        gaussians: bound to the head's faces.

    Raises:
        BadInput: an expression is not among the model's.
    """
    faces = head.model.faces
    middle = head.joints[list(head.eyes)].mean(0)

    def placed(vertices: Doubles) -> Doubles:  # [3 N, 3] mm
        triads: Doubles = (place_triads(gaussians, vertices, faces) - middle) * _TO_RIG
        return triads.reshape(-1, 3)

    rest = placed(head.vertices)
    fields = {
        INDEX[name]: placed(target) - rest
        for name, target in arkit_targets(head, expressions).items()
    }
    still = head.model.weights[faces[gaussians.faces], 0].mean(axis=1)
    count = len(gaussians)
    camera = np.eye(3, 4, dtype=np.float32)
    camera[:, 3] = _CAMERA_MM
    return AvatarModel(
        surface=Surface(
            vertices=rest.astype(np.float32),
            triangles=np.arange(3 * count, dtype=np.int32).reshape(-1, 3),
            shapes=_sparse(fields, len(rest)),
            head_weights=np.repeat(1 - still, 3).clip(0, 1).astype(np.float32),
            head_pivot=((head.joints[NECK] - middle) * _TO_RIG).astype(np.float32),
            head_to_camera=camera,
        ),
        gaussians=Gaussians(
            triangle_ids=np.arange(count, dtype=np.int32),
            barycentric=np.tile(np.eye(1, 3, dtype=np.float32), (count, 1)),
            axes=np.tile(np.eye(2, dtype=np.float32), (count, 1, 1)),
            opacities=gaussians.opacities.astype(np.float32),
            colors=gaussians.colors.astype(np.float32),
            depth_bias=np.zeros(count, np.float32),
            parts=np.zeros(count, np.uint8),
        ),
        color_shapes=ColorShapes(
            (), np.zeros(1, np.int32), np.zeros(0, np.int32), np.zeros((0, 3), np.float32)
        ),
        part_names=("head",),
        plate=np.full((_PLATE_PX, _PLATE_PX, 3), _BACKGROUND, np.uint8),
        focal=FOCAL,
        cull_cosine=_FACES_EVERYWHERE,
    )


def _sparse(fields: dict[int, Doubles], vertex_count: int) -> SparseShapes:
    moved = {k: np.flatnonzero(np.abs(field).max(1) > _LEAST_MM) for k, field in fields.items()}
    vertices = np.concatenate(list(moved.values()))
    ids = np.concatenate([np.full(len(v), k, np.int32) for k, v in moved.items()])
    vectors = np.concatenate([fields[k][v] for k, v in moved.items()])
    order = np.lexsort((ids, vertices))
    counts = np.bincount(vertices, minlength=vertex_count)
    return SparseShapes(
        BLENDSHAPES,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        ids[order],
        vectors[order].astype(np.float32),
    )
