"""A whole avatar model of a few kilobytes."""

from __future__ import annotations

import numpy as np

from lipstream.face.model import AvatarModel, ColorShapes, Gaussians, SparseShapes, Surface
from lipstream.face.shape_names import COLOR_SHAPE_NAMES, SHAPE_NAMES

__all__ = ["tiny_model"]


def tiny_model(seed: int = 0) -> AvatarModel:
    rng = np.random.default_rng(seed)
    vertex_count, triangle_count, count = 500, 40, 60

    def floats(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return rng.uniform(0, 1, shape).astype(np.float32)

    shape_ids = rng.integers(0, len(SHAPE_NAMES), 2 * vertex_count).astype(np.int32)
    return AvatarModel(
        surface=Surface(
            vertices=floats(vertex_count, 3),
            triangles=rng.integers(0, vertex_count, (triangle_count, 3)).astype(np.int32),
            shapes=SparseShapes(
                SHAPE_NAMES,
                np.arange(0, 2 * vertex_count + 1, 2, dtype=np.int32),
                shape_ids,
                floats(2 * vertex_count, 3),
            ),
            head_weights=floats(vertex_count),
            head_pivot=floats(3),
            head_to_camera=np.eye(3, 4, dtype=np.float32),
        ),
        gaussians=Gaussians(
            triangle_ids=np.sort(rng.integers(0, triangle_count, count)).astype(np.int32),
            barycentric=floats(count, 3),
            axes=floats(count, 2, 2),
            opacities=floats(count),
            colors=floats(count, 3),
            depth_bias=floats(count),
            parts=rng.integers(0, 2, count).astype(np.uint8),
        ),
        color_shapes=ColorShapes(
            COLOR_SHAPE_NAMES,
            np.array([0, 3, 5, 5, 6, 8], np.int32),
            rng.integers(0, count, 8).astype(np.int32),
            floats(8, 3),
        ),
        part_names=("skin", "hair"),
        plate=rng.integers(0, 255, (32, 32, 3)).astype(np.uint8),
        focal=3.0,
        cull_cosine=-0.2,
    )
