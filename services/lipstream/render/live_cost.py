"""What a live stream of pictures costs on this machine, measured on a stand-in for an avatar.

The stand-in has as many splats, triangles and shapes as avatars from photos have, in the same part
of the picture; what they show does not matter to the time.
"""

from __future__ import annotations

import numpy as np

from lipstream.face.arkit import BLENDSHAPES
from lipstream.face.model import AvatarModel, ColorShapes, Gaussians, SparseShapes, Surface
from lipstream.face.motion import Motion
from lipstream.render.h264 import LiveEncoder
from lipstream.render.interface import View
from lipstream.render.layout import Layout
from lipstream.render.registry import open_renderer
from lipstream.render.splats import REFERENCE_SIZE_PX
from lipstream.runtime.live_capacity import processor_cost
from lipstream.wire.output import PictureSize

__all__ = ["live_cost", "stand_in"]

_FPS = 25.0
_STEPS = 12
_SPLATS = 60_000
_SIDE = 128
"""Vertices of the grid that carries the splats."""
_SHAPES_A_VERTEX = 12
_TINTED = 10_000
_HEIGHT_MM = 240.0
_DISTANCE_MM = 900.0
_FOCAL = 3.0


def live_cost() -> float:
    """Cores that one live stream keeps busy, at 512 x 512 pixels in H.264 and 25 fps."""
    size = PictureSize(REFERENCE_SIZE_PX, REFERENCE_SIZE_PX)
    renderer, encoder = open_renderer(stand_in(), View(size)), LiveEncoder(size, _FPS)
    rng = np.random.default_rng(0)
    motion = Motion(
        fps=_FPS,
        blendshapes=rng.uniform(0, 0.3, (_STEPS + 1, len(BLENDSHAPES))).astype(np.float32),
        rotation=rng.normal(0, 0.02, (_STEPS + 1, 3)).astype(np.float32),
        translation=np.zeros((_STEPS + 1, 3), np.float32),
        gaze=np.zeros((_STEPS + 1, 4), np.float32),
    )
    frames = iter(range(_STEPS + 1))

    def draw() -> None:
        pose = renderer.pose(motion, next(frames))
        encoder.encode(renderer.picture(pose, Layout.YUV420P), keyframe=False)

    return processor_cost(draw, media_s=1 / _FPS, steps=_STEPS)


def stand_in() -> AvatarModel:
    """A sheet of splats before a grey plate."""
    rng = np.random.default_rng(0)
    across = np.linspace(-0.4 * _HEIGHT_MM, 0.4 * _HEIGHT_MM, _SIDE)
    down = np.linspace(-0.5 * _HEIGHT_MM, 0.5 * _HEIGHT_MM, _SIDE)
    x, y = (axis.ravel() for axis in np.meshgrid(across, down))
    vertices = np.stack([x, y, np.zeros_like(x)], 1).astype(np.float32)
    corner = (np.arange(_SIDE - 1)[:, None] * _SIDE + np.arange(_SIDE - 1)).ravel()
    triangles = np.concatenate(
        [
            np.stack([corner, corner + _SIDE, corner + 1], 1),
            np.stack([corner + 1, corner + _SIDE, corner + _SIDE + 1], 1),
        ]
    ).astype(np.int32)
    moved = _SHAPES_A_VERTEX * len(vertices)
    camera = np.eye(3, 4, dtype=np.float32)
    camera[2, 3] = _DISTANCE_MM
    weights = rng.dirichlet(np.ones(3), _SPLATS).astype(np.float32)
    return AvatarModel(
        surface=Surface(
            vertices=vertices,
            triangles=triangles,
            shapes=SparseShapes(
                names=BLENDSHAPES,
                offsets=np.arange(0, moved + 1, _SHAPES_A_VERTEX, dtype=np.int32),
                ids=(np.arange(moved) % len(BLENDSHAPES)).astype(np.int32),
                vectors=rng.normal(0, 0.3, (moved, 3)).astype(np.float32),
            ),
            head_weights=np.ones(len(vertices), np.float32),
            head_pivot=np.zeros(3, np.float32),
            head_to_camera=camera,
        ),
        gaussians=Gaussians(
            triangle_ids=np.sort(rng.integers(0, len(triangles), _SPLATS)).astype(np.int32),
            barycentric=weights,
            axes=np.tile(0.6 * np.eye(2, dtype=np.float32), (_SPLATS, 1, 1)),
            opacities=rng.uniform(0.5, 1, _SPLATS).astype(np.float32),
            colors=rng.uniform(0, 1, (_SPLATS, 3)).astype(np.float32),
            depth_bias=np.zeros(_SPLATS, np.float32),
            parts=np.zeros(_SPLATS, np.uint8),
        ),
        color_shapes=ColorShapes(
            names=("tint",),
            offsets=np.array([0, _TINTED], np.int32),
            ids=np.arange(_TINTED, dtype=np.int32),
            vectors=np.full((_TINTED, 3), 0.1, np.float32),
        ),
        part_names=("skin",),
        plate=np.full((REFERENCE_SIZE_PX, REFERENCE_SIZE_PX, 3), 128, np.uint8),
        focal=_FOCAL,
        torso=np.zeros((REFERENCE_SIZE_PX, REFERENCE_SIZE_PX), np.uint8),
    )
