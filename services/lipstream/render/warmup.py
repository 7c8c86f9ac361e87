"""Compile or load every kernel before the first frame is asked for.

Compilation takes tens of seconds, loading from the cache a few tenths of one. Images are built
with a warm cache; services warm up before they report ready.
"""

from __future__ import annotations

import numpy as np

from lipstream.face.arkit import BLENDSHAPES
from lipstream.face.model import AvatarModel, ColorShapes, Gaussians, SparseShapes, Surface
from lipstream.render.adjoint import ColorMap
from lipstream.render.background import NoBackground
from lipstream.render.layout import Layout
from lipstream.render.pose import Pose
from lipstream.render.renderer import SplatRenderer
from lipstream.wire.output import MIN_SIZE_PX

__all__ = ["warm_up"]


def warm_up(*, fitting: bool = False) -> None:
    """Run every kernel once, on an avatar of one triangle.

    Args:
        fitting: also those that only a fit needs.
    """
    model = _one_triangle()
    pose = Pose(
        np.ones(len(BLENDSHAPES), np.float32),
        translation=np.ones(3, np.float32),  # the torso follows
        color_weights=np.ones(1, np.float32),
    )
    renderer = SplatRenderer(model, MIN_SIZE_PX)
    renderer.yuv420p(pose)
    renderer.rgb(pose)
    alone = SplatRenderer(model, MIN_SIZE_PX, background=NoBackground())
    alone.picture(pose, Layout.RGB, behind=alone.scene.plate.rgb)
    alone.yuva420p(pose)
    alone.rgba(pose)
    if fitting:
        colors = ColorMap(model, pose, MIN_SIZE_PX)
        colors.gather(colors.render(model.gaussians.colors))


def _one_triangle() -> AvatarModel:
    corners = np.array([[-40, 40, 0], [0, -40, 0], [40, 40, 0]], np.float32)
    camera = np.eye(3, 4, dtype=np.float32)
    camera[2, 3] = 600
    return AvatarModel(
        surface=Surface(
            vertices=corners,
            triangles=np.array([[0, 2, 1]], np.int32),
            shapes=SparseShapes(
                names=BLENDSHAPES,
                offsets=np.array([0, 1, 1, 1], np.int32),
                ids=np.zeros(1, np.int32),
                vectors=np.ones((1, 3), np.float32),
            ),
            head_weights=np.ones(3, np.float32),
            head_pivot=np.zeros(3, np.float32),
            head_to_camera=camera,
        ),
        gaussians=Gaussians(
            triangle_ids=np.zeros(1, np.int32),
            barycentric=np.full((1, 3), 1 / 3, np.float32),
            axes=0.2 * np.eye(2, dtype=np.float32)[None],
            opacities=np.ones(1, np.float32),
            colors=np.full((1, 3), 0.5, np.float32),
            depth_bias=np.zeros(1, np.float32),
            parts=np.zeros(1, np.uint8),
        ),
        color_shapes=ColorShapes(
            names=("tint",),
            offsets=np.array([0, 1], np.int32),
            ids=np.zeros(1, np.int32),
            vectors=np.full((1, 3), 0.1, np.float32),
        ),
        part_names=("skin",),
        plate=np.full((MIN_SIZE_PX, MIN_SIZE_PX, 3), 128, np.uint8),
        focal=3.0,
        torso=np.zeros((MIN_SIZE_PX, MIN_SIZE_PX), np.uint8),
    )
