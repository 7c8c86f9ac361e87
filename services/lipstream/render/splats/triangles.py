"""Per triangle, what its splats share: a corner, two edges and how much of it is seen."""

from __future__ import annotations

import math

import numpy as np

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render.kernels import kernel
from lipstream.render.splats.constants import FADE_COSINE

__all__ = ["HIDDEN", "TRIANGLE_WIDTH", "triangle_frames"]

TRIANGLE_WIDTH = 10
HIDDEN = -100.0
"""Log of the fade of a triangle that is not drawn."""

_INVERSE_FADE = np.float32(1.0 / FADE_COSINE)
_HIDDEN = np.float32(HIDDEN)


@kernel
def triangle_frames(
    vertices: Floats,  # [V, 3] mm, camera frame
    triangles: Ints,  # [F, 3]
    cull_cosine: np.float32,
    out: Floats,  # [F, 10] corner a, edges b - a and c - a, log of the fade
) -> None:
    """Edges of every triangle, and the logarithm of its fade by how far it faces the camera.

    The fade is 0 where the cosine between normal and view ray is under `cull_cosine`, and rises
    to 1 over the next `FADE_COSINE`.
    """
    for t in range(triangles.shape[0]):
        a = triangles[t, 0]
        b = triangles[t, 1]
        c = triangles[t, 2]
        ax = vertices[a, 0]
        ay = vertices[a, 1]
        az = vertices[a, 2]
        ux = vertices[b, 0] - ax
        uy = vertices[b, 1] - ay
        uz = vertices[b, 2] - az
        vx = vertices[c, 0] - ax
        vy = vertices[c, 1] - ay
        vz = vertices[c, 2] - az
        nx = uy * vz - uz * vy
        ny = uz * vx - ux * vz
        nz = ux * vy - uy * vx
        third = np.float32(1.0 / 3.0)
        px = ax + (ux + vx) * third
        py = ay + (uy + vy) * third
        pz = az + (uz + vz) * third
        length = math.sqrt((nx * nx + ny * ny + nz * nz) * (px * px + py * py + pz * pz))
        cosine = -(nx * px + ny * py + nz * pz) / (length + np.float32(1e-20))
        fade = (cosine - cull_cosine) * _INVERSE_FADE
        out[t, 0] = ax
        out[t, 1] = ay
        out[t, 2] = az
        out[t, 3] = ux
        out[t, 4] = uy
        out[t, 5] = uz
        out[t, 6] = vx
        out[t, 7] = vy
        out[t, 8] = vz
        if fade >= np.float32(1):
            out[t, 9] = np.float32(0)
        elif fade > np.float32(0):
            out[t, 9] = math.log(fade)
        else:
            out[t, 9] = _HIDDEN
