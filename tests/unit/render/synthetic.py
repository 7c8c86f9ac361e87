"""A head without a person: a bumpy ellipsoid in front of a striped plate."""

from __future__ import annotations

import numpy as np

from lipstream.face.arkit import BLENDSHAPES, INDEX
from lipstream.face.model import (
    AvatarModel,
    ColorShapes,
    Gaussians,
    Ints,
    SparseShapes,
    Surface,
)
from lipstream.face.motion import Floats, Motion
from lipstream.render.geometry import Doubles
from lipstream.render.splats import Bytes

FOCAL = 3.0
DISTANCE_MM = 900.0


class SyntheticDriver:
    """ARKit's weights as they are, and a tint that follows the jaw."""

    def shape_weights(self, model: AvatarModel, blendshapes: Floats, gaze: Floats) -> Floats:
        return blendshapes

    def color_weights(self, model: AvatarModel, shape_weights: Floats, vertices: Floats) -> Floats:
        return shape_weights[[INDEX["jawOpen"], INDEX["eyeBlinkLeft"]]]


def synthetic_avatar(
    splats: int = 2000,
    rings: int = 24,
    plate_px: int = 256,
    seed: int = 0,
    opacity_min: float = 0.3,
) -> AvatarModel:
    """An ellipsoid of 150 x 200 x 180 mm with colour in bands, and shapes for jaw, lid and lips."""
    rng = np.random.default_rng(seed)
    vertices, triangles = _ellipsoid(rings)
    count = len(vertices)
    y = vertices[:, 1]
    low = np.clip((y - 10) / 60, 0, 1)
    fields = {
        "jawOpen": low[:, None] * np.array([0.0, 14.0, 3.0]),
        "mouthPucker": low[:, None] * np.array([0.0, 0.0, -6.0]),
        "eyeBlinkLeft": np.exp(-(((vertices - [30, -30, -80]) / 25) ** 2).sum(1))[:, None]
        * np.array([0.0, 6.0, 0.0]),
    }
    ids, vectors, offsets = [], [], [0]
    for v in range(count):
        for name, field in fields.items():
            if np.abs(field[v]).max() > 1e-3:
                ids.append(INDEX[name])
                vectors.append(field[v])
        offsets.append(len(ids))
    camera = np.eye(3, 4, dtype=np.float32)
    camera[2, 3] = DISTANCE_MM
    gaussians = _splats(rng, vertices, triangles, splats, opacity_min)
    chosen = np.arange(0, splats, 3, dtype=np.int32)
    return AvatarModel(
        surface=Surface(
            vertices=vertices.astype(np.float32),
            triangles=triangles,
            shapes=SparseShapes(
                names=BLENDSHAPES,
                offsets=np.array(offsets, np.int32),
                ids=np.array(ids, np.int32),
                vectors=np.array(vectors, np.float32).reshape(-1, 3),
            ),
            head_weights=np.clip((100 - y) / 30, 0, 1).astype(np.float32),
            head_pivot=np.array([0, 60, 30], np.float32),
            head_to_camera=camera,
        ),
        gaussians=gaussians,
        color_shapes=ColorShapes(
            names=("warm", "cold"),
            offsets=np.array([0, len(chosen), 2 * len(chosen)], np.int32),
            ids=np.concatenate([chosen, chosen]),
            vectors=np.repeat(
                np.array([[0.3, -0.1, -0.2], [-0.2, 0.0, 0.2]], np.float32), len(chosen), axis=0
            ),
        ),
        part_names=("skin",),
        plate=_plate(plate_px),
        focal=FOCAL,
        torso=_torso(plate_px),
    )


def synthetic_motion(frames: int, fps: float = 25.0) -> Motion:
    """A talking, nodding, turning ellipsoid."""
    t = np.arange(frames) / fps
    motion = Motion.rest(frames, fps)
    motion.blendshapes[:, INDEX["jawOpen"]] = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * t)
    motion.blendshapes[:, INDEX["eyeBlinkLeft"]] = np.clip(np.sin(2 * np.pi * 0.4 * t), 0, 1)
    motion.rotation[:, 0] = 0.1 * np.sin(2 * np.pi * 0.3 * t)
    motion.rotation[:, 1] = 0.2 * np.sin(2 * np.pi * 0.2 * t)
    motion.translation[:, 0] = 4 * np.sin(2 * np.pi * 0.25 * t)
    return motion


def _ellipsoid(rings: int) -> tuple[Doubles, Ints]:
    polar = np.linspace(0.02, np.pi - 0.02, rings + 1)
    around = np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False)
    p, a = np.meshgrid(polar, around, indexing="ij")
    bump = 1 + 0.04 * np.sin(5 * p) * np.cos(4 * a)
    points = np.stack(
        [
            75 * bump * np.sin(p) * np.cos(a),
            -100 * bump * np.cos(p),
            90 * bump * np.sin(p) * np.sin(a),
        ],
        axis=-1,
    ).reshape(-1, 3)
    columns = 2 * rings
    faces = []
    for i in range(rings):
        for j in range(columns):
            k = (j + 1) % columns
            q = [i * columns + j, i * columns + k, (i + 1) * columns + k, (i + 1) * columns + j]
            faces += [(q[0], q[1], q[2]), (q[0], q[2], q[3])]
    triangles = np.array(faces, np.int32)
    a3, b3, c3 = (points[triangles[:, k]] for k in range(3))
    outward = (np.cross(b3 - a3, c3 - a3) * (a3 + b3 + c3)).sum(1)
    flip = outward < 0
    triangles[flip] = triangles[flip][:, ::-1]
    return points, triangles


def _splats(
    rng: np.random.Generator,
    vertices: Doubles,
    triangles: Ints,
    count: int,
    opacity_min: float,
) -> Gaussians:
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    areas = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    ids = np.sort(rng.choice(len(triangles), count, p=areas / areas.sum()))
    barycentric = rng.dirichlet((1, 1, 1), count)
    # Splats of a common size in mm whatever the triangle: the edges' pseudo-inverse of a rotation.
    sigma_mm = 0.6 * np.sqrt(areas.sum() / count)
    edges = np.stack([b - a, c - a], axis=-1)[ids]
    u = edges[..., 0] / np.linalg.norm(edges[..., 0], axis=1, keepdims=True)
    n = np.cross(edges[..., 0], edges[..., 1])
    w = np.cross(n / np.linalg.norm(n, axis=1, keepdims=True), u)
    plane = np.stack([u, w], axis=-1) * (sigma_mm * rng.uniform(0.6, 1.4, (count, 1, 2)))
    axes = np.linalg.pinv(edges) @ plane
    centres = np.einsum("nk,nkd->nd", barycentric, np.stack([a, b, c], 1)[ids])
    bands = 0.5 + 0.4 * np.sin(centres / np.array([9.0, 13.0, 11.0]))
    return Gaussians(
        triangle_ids=ids.astype(np.int32),
        barycentric=barycentric.astype(np.float32),
        axes=axes.astype(np.float32),
        opacities=rng.uniform(opacity_min, 1.0, count).astype(np.float32),
        colors=bands.astype(np.float32),
        depth_bias=np.where(rng.random(count) < 0.05, 5.0, 0.0).astype(np.float32),
        parts=np.zeros(count, np.uint8),
    )


def _torso(size_px: int) -> Bytes:
    """Shoulders: the lowest fifth of the picture but for its sides, soft at the edge."""
    y, x = np.mgrid[:size_px, :size_px] / size_px
    soft = np.minimum(y - 0.8, 0.35 - np.abs(x - 0.5)) * 40
    torso: Bytes = np.rint(255 * np.clip(soft + 0.5, 0, 1)).astype(np.uint8)
    return torso


def _plate(size_px: int) -> Bytes:
    y, x = np.mgrid[:size_px, :size_px] / size_px
    stripes = np.stack([0.5 + 0.4 * np.sin(20 * x), 0.5 + 0.3 * np.cos(15 * y), 0.4 + 0.5 * x], -1)
    plate: Bytes = np.rint(255 * stripes).astype(np.uint8)
    return plate
