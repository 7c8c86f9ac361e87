"""Splats from the surface onto the picture.

A splat's covariance is `(E A)(E A)^T` with E the triangle's edges and A its axes. Projecting the
two edges first needs no rotation and no 3x3 product: with J the derivative of the perspective
division at the centre, the picture's covariance is `(J E A)(J E A)^T` plus the low-pass.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render.splats.jit import ALPHA_MIN, kernel

__all__ = ["SPLAT_WIDTH", "STATIC_WIDTH", "Bounds", "project"]

Bounds: TypeAlias = NDArray[np.int16]

STATIC_WIDTH = 9
"""Per Gaussian: barycentric 3, axes 4 (rows of A), log of the opacity, depth bias in mm."""
SPLAT_WIDTH = 9
"""Per drawn splat: centre 2, conic 3 and log of the opacity (both over 8), colour 3."""

_NEAR_MM = np.float32(1.0)
_LOG_ALPHA_MIN = np.float32(math.log(ALPHA_MIN))


@kernel
def project(
    frames: Floats,  # [F, 10] from `triangle_frames`
    first: Ints,  # [F + 1] first Gaussian of each triangle
    static: Floats,  # [N, 9]
    colors: Floats,  # [N, 3]
    focal_px: np.float32,
    width_px: int,
    height_px: int,
    centre_x: np.float32,  # px, of the camera's axis
    centre_y: np.float32,
    low_pass: np.float32,  # px^2
    splats: Floats,  # [N, 9] out
    bounds: Bounds,  # [N, 4] out: x from, x to, y from, y to; pixels, end excluded
    depths: Floats,  # [N] out: mm, with the bias
    sources: Ints,  # [N] out: Gaussian of each splat
) -> int:
    """Pack the splats that can touch the picture to the front of the outputs; return how many.

    Bounds enclose the ellipse on which the splat's opacity falls to `ALPHA_MIN`. The exponent is
    stored over 8 because `blend` raises a short polynomial to the eighth power.
    """
    width = np.float32(width_px)
    height = np.float32(height_px)
    half = np.float32(0.5)
    count = 0
    for t in range(frames.shape[0]):
        begin = first[t]
        end = first[t + 1]
        log_fade = frames[t, 9]
        if begin == end or log_fade < np.float32(-50):
            continue
        ax = frames[t, 0]
        ay = frames[t, 1]
        az = frames[t, 2]
        ux = frames[t, 3]
        uy = frames[t, 4]
        uz = frames[t, 5]
        vx = frames[t, 6]
        vy = frames[t, 7]
        vz = frames[t, 8]
        for i in range(begin, end):
            log_opacity = static[i, 7] + log_fade
            # Squared radius, in standard deviations, at which the opacity falls to ALPHA_MIN.
            reach = np.float32(2) * (log_opacity - _LOG_ALPHA_MIN)
            if reach <= np.float32(0):
                continue
            b = static[i, 1]
            c = static[i, 2]
            total = static[i, 0] + b + c
            z = total * az + b * uz + c * vz
            if z < _NEAR_MM:
                continue
            inverse_z = np.float32(1) / z
            x = (total * ax + b * ux + c * vx) * inverse_z
            y = (total * ay + b * uy + c * vy) * inverse_z
            scale = focal_px * inverse_z
            # The edges, projected.
            jux = scale * (ux - x * uz)
            juy = scale * (uy - y * uz)
            jvx = scale * (vx - x * vz)
            jvy = scale * (vy - y * vz)
            p0 = jux * static[i, 3] + jvx * static[i, 5]
            p1 = jux * static[i, 4] + jvx * static[i, 6]
            q0 = juy * static[i, 3] + jvy * static[i, 5]
            q1 = juy * static[i, 4] + jvy * static[i, 6]
            sxx = p0 * p0 + p1 * p1 + low_pass
            sxy = p0 * q0 + p1 * q1
            syy = q0 * q0 + q1 * q1 + low_pass
            mx = focal_px * x + centre_x
            my = focal_px * y + centre_y
            extent_x = math.sqrt(reach * sxx)
            extent_y = math.sqrt(reach * syy)
            # Pixels whose centres, at k + 1/2, lie inside; all four are positive or cut to 0.
            x_from = int(max(mx - extent_x + half, np.float32(0)))
            x_to = int(min(mx + extent_x + half, width))
            y_from = int(max(my - extent_y + half, np.float32(0)))
            y_to = int(min(my + extent_y + half, height))
            if x_from >= x_to or y_from >= y_to:
                continue
            # -1/2 of the inverse covariance, over 8.
            factor = np.float32(-0.0625) / (sxx * syy - sxy * sxy)
            splats[count, 0] = mx
            splats[count, 1] = my
            splats[count, 2] = syy * factor
            splats[count, 3] = np.float32(-2) * sxy * factor
            splats[count, 4] = sxx * factor
            splats[count, 5] = log_opacity * np.float32(0.125)
            splats[count, 6] = colors[i, 0]
            splats[count, 7] = colors[i, 1]
            splats[count, 8] = colors[i, 2]
            bounds[count, 0] = x_from
            bounds[count, 1] = x_to
            bounds[count, 2] = y_from
            bounds[count, 3] = y_to
            depths[count] = z + static[i, 8]
            sources[count] = i
            count += 1
    return count
