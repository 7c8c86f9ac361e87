"""The edge of each lip: a row of Gaussians along the line where the lips meet.

The lips' other Gaussians lie on a grid of the photo: where a mouth opens or rounds, their edge
would be ragged.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.binding import Binding, bind_at, held_small
from lipstream.avatar.layer import Layer
from lipstream.avatar.layers.lips import (
    PARTED_MM,
    colors_off_the_lip_line,
    lip_tint,
    tuck_tint,
)
from lipstream.avatar.layers.scene import PhotoScene
from lipstream.face import parts as head
from lipstream.face.shape_names import LIP_REST, LIP_TUCK, MOUTH_SHADE

__all__ = ["lip_edge_layer"]

_SPACING_MM = 0.3
_RADIUS_MM = 0.34
_INSET_MM = 0.34
_DEPTH_BIAS_MM = -0.5
_LINE_SHADE = 0.35
_LATITUDE = 0.15
"""Where the photo's lips are closed it shows the colours of the line itself."""


def lip_edge_layer(scene: PhotoScene) -> Layer:
    stage = scene.stage
    binding = _along_the_line(scene)
    ring, along, lip = (
        stage.coordinate("skin", name, binding.triangles, binding.barycentric)
        for name in ("ring", "along", "lip")
    )
    colors, _ = colors_off_the_lip_line(scene, binding.photo_px, ring, lip)
    closed = scene.rig.face.lip_gap_mm < PARTED_MM
    return Layer(
        name="lip_edge",
        binding=binding,
        colors=colors,
        opacities=np.ones(len(binding)),
        latitude=np.full(len(binding), _LATITUDE if closed else 0.0),
        depth_bias_mm=_DEPTH_BIAS_MM,
        tints={
            LIP_REST: lip_tint(colors, ring, along, lip),
            LIP_TUCK: tuck_tint(colors, ring, lip),
            # Closed lips meet in a dark line, which a photo with parted lips does not show.
            MOUTH_SHADE: -(0.0 if closed else _LINE_SHADE) * colors,
        },
    )


def _along_the_line(scene: PhotoScene) -> Binding:
    """Gaussians evenly along the lips' line, as long as it is in a mouth wide open."""
    stage = scene.stage
    triangles, first = _triangles_at(head.mouth_loop(scene.rig.skin), scene.rig.skin.triangles)
    corners = stage.triangles[triangles]
    row = np.arange(len(corners))
    order = [corners[row, (first + k) % 3] for k in range(3)]
    a, b, c = (stage.open[vertex] for vertex in order)
    length = np.linalg.norm(b - a, axis=1)
    height = np.linalg.norm(np.cross(b - a, c - a), axis=1) / np.maximum(length, 1e-9)
    count = np.maximum(1, np.rint(length / _SPACING_MM).astype(int))
    owner = np.repeat(row, count)
    place = np.concatenate([(np.arange(n) + 0.5) / n for n in count])
    inset = np.minimum(_INSET_MM / np.maximum(height, 1e-9), 1 / 3)[owner]
    shares = np.stack([(1 - place) * (1 - inset), place * (1 - inset), inset], 1)
    barycentric = np.empty_like(shares)
    for k in range(3):
        barycentric[np.arange(len(owner)), (first[owner] + k) % 3] = shares[:, k]
    binding = bind_at(stage, triangles[owner], barycentric, _RADIUS_MM, stage.open)
    return held_small(stage, binding, stage.rounded, _RADIUS_MM)


def _triangles_at(
    loop: NDArray[np.int64], triangles: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The triangle at each edge of a boundary, and which of its corners the edge starts from."""
    near = np.flatnonzero(np.isin(triangles, loop).sum(1) >= 2)
    edges = {
        frozenset((int(triangles[index, k]), int(triangles[index, (k + 1) % 3]))): (index, k)
        for index in near
        for k in range(3)
    }
    pairs = zip(loop.tolist(), np.roll(loop, -1).tolist(), strict=True)
    found = np.array([edges[frozenset(pair)] for pair in pairs], np.int64)
    return found[:, 0], found[:, 1]
