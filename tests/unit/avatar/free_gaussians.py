"""Gaussians of a 3DGS .ply, read with plyfile, as an avatar of their own that can be drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from plyfile import PlyData
from scipy.spatial.transform import Rotation

from lipstream.face.model import AvatarModel, ColorShapes, Gaussians, SparseShapes
from lipstream.render import Layout, Pose, View, open_renderer
from lipstream.render.geometry import Doubles
from lipstream.render.splats import Bytes

__all__ = ["draw_ply", "read_table"]


def read_table(path: Path) -> dict[str, Doubles]:
    """The columns by name."""
    vertices = PlyData.read(str(path))["vertex"]
    return {each.name: np.asarray(vertices[each.name], np.float64) for each in vertices.properties}


def draw_ply(path: Path, like: AvatarModel, size_px: int) -> Bytes:  # [S, S, 3]
    """The file seen by the camera, and before the plate, of the avatar that it was made from."""
    rest = np.zeros(len(like.surface.shapes.names), np.float32)
    pose = Pose(rest, color_weights=np.zeros(0, np.float32))
    return open_renderer(_free(path, like), View(size_px)).picture(pose, Layout.RGB)


def _free(path: Path, like: AvatarModel) -> AvatarModel:
    """Each Gaussian on a triangle of its own, whose edges are its two long axes."""
    table = read_table(path)
    turns = Rotation.from_quat(_columns(table, "rot", 4), scalar_first=True).as_matrix()
    spreads = 1e3 * np.exp(_columns(table, "scale", 3))
    assert spreads[:, 2].max() < 0.02, "ours are flat"
    centres = 1e3 * np.stack([table[axis] for axis in "xyz"], axis=1)
    first, second = (centres + turns[..., k] * spreads[:, k, None] for k in range(2))
    count = len(centres)
    return replace(
        like,
        surface=replace(
            like.surface,
            vertices=np.stack([centres, first, second], axis=1).reshape(-1, 3).astype(np.float32),
            triangles=np.arange(3 * count, dtype=np.int32).reshape(-1, 3),
            shapes=SparseShapes(
                like.surface.shapes.names,
                np.zeros(3 * count + 1, np.int32),
                np.zeros(0, np.int32),
                np.zeros((0, 3), np.float32),
            ),
            head_weights=np.ones(3 * count, np.float32),
        ),
        gaussians=Gaussians(
            triangle_ids=np.arange(count, dtype=np.int32),
            barycentric=np.tile(np.eye(1, 3, dtype=np.float32), (count, 1)),
            axes=np.tile(np.eye(2, dtype=np.float32), (count, 1, 1)),
            opacities=(1 / (1 + np.exp(-table["opacity"]))).astype(np.float32),
            colors=(0.5 + _columns(table, "f_dc", 3) * 0.28209479177387814).astype(np.float32),
            depth_bias=np.zeros(count, np.float32),
            parts=np.zeros(count, np.uint8),
        ),
        color_shapes=ColorShapes(
            (), np.zeros(1, np.int32), np.zeros(0, np.int32), np.zeros((0, 3), np.float32)
        ),
        cull_cosine=-2.0,
    )


def _columns(table: dict[str, Doubles], name: str, count: int) -> Doubles:  # [N, count]
    return np.stack([table[f"{name}_{k}"] for k in range(count)], axis=1)
