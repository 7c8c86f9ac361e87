"""A second skin a little beneath the first, where that slopes away in the photo.

The photo shows slopes in few pixels, which part when the head turns; what lies beneath them closes
the gaps. It keeps inside the face's outline in every view, where it would show as a line.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.face.parts import Part, facing, grid_triangles, outline_loop
from lipstream.face.rig import Rig
from lipstream.face.shape_names import PHOTO_PART, PHOTO_SMILE

__all__ = ["backing"]

_BENEATH_MM = 1.2
_SKIRT_MM = 6.0
_STEEP_COSINE = 0.5
_OPENING = 0.3
"""Nothing lies behind lips and lids, which open."""


def backing(rig: Rig) -> Part:
    """The steep part of the skin, sunk along its normals.

    Coordinates: `source` (the skin's vertex above).
    """
    skin = rig.skin
    photo = skin.vertices + skin.shapes[PHOTO_SMILE] + skin.shapes[PHOTO_PART]
    corners = rig.frame.to_camera(photo)[skin.triangles]
    normals, view = _normal(corners), corners[:, 0]
    size = np.linalg.norm(normals, axis=1) * np.linalg.norm(view, axis=1)
    cosine = (normals * view).sum(1) / np.maximum(size, 1e-9)
    closed = (skin.coordinates["opening"][skin.triangles] < _OPENING).all(1)
    triangles = skin.triangles[(np.abs(cosine) < _STEEP_COSINE) & closed]
    chosen = np.isin(np.arange(len(photo)), triangles)
    inwards = np.zeros_like(photo)
    against = -_normal(skin.vertices[skin.triangles])
    for k in range(3):
        np.add.at(inwards, skin.triangles[:, k], against)
    length = np.linalg.norm(inwards, axis=1, keepdims=True)
    sunk = skin.vertices + _BENEATH_MM * inwards / np.maximum(length, 1e-9)
    # A skirt goes on backwards from the outline: no gap opens before ears and hair.
    loop = outline_loop(skin)
    vertices = np.concatenate([sunk, sunk[loop] + (0, 0, _SKIRT_MM)])
    source = np.concatenate([np.arange(len(sunk)), loop])
    ring = np.concatenate([loop, np.arange(len(sunk), len(vertices))])
    skirt = ring[grid_triangles(2, len(loop), closed=True)]
    skirt = skirt[chosen[source[skirt]].all(1)]
    skirt = facing(vertices, skirt, towards=vertices[skirt].mean(1) - sunk.mean(0))
    used, local = np.unique(np.concatenate([triangles, skirt]), return_inverse=True)
    return Part(
        name="backing",
        vertices=vertices[used],
        triangles=local.reshape(-1, 3),
        shapes={name: field[source[used]] for name, field in skin.shapes.items()},
        head_weights=np.ones(len(used)),
        coordinates={"source": source[used].astype(float)},
    )


def _normal(corners: NDArray[np.float64]) -> NDArray[np.float64]:  # [F, 3, 3] -> [F, 3]
    """Normals towards the camera, as long as twice their triangle's area."""
    a, b, c = np.moveaxis(corners, 1, 0)
    return np.asarray(np.cross(b - a, c - a))
