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
from lipstream.render.kernels import kernel
from lipstream.render.kernels.vector import (
    LANES,
    greater,
    kept,
    lesser,
    load,
    root,
    splat,
    stack_floats,
    store,
)
from lipstream.render.splats.constants import ALPHA_MIN, EXPONENT_BIAS

__all__ = ["SPLAT_WIDTH", "STATIC_WIDTH", "Bounds", "project"]

Bounds: TypeAlias = NDArray[np.int16]

STATIC_WIDTH = 9
"""Per Gaussian: sum of its barycentric coordinates and the last two of them, axes 4 (rows of A),
log of the opacity, depth bias in mm."""
SPLAT_WIDTH = 9
"""Per drawn splat: centre 2, conic 3 and log of the opacity (both to base 2, the latter with
`EXPONENT_BIAS`), colour 3."""

_U = np.uint64
_F = np.float32
_NEAR_MM = np.float32(1.0)
_LOG_ALPHA_MIN = np.float32(math.log(ALPHA_MIN))
_LOG2_E = np.float32(math.log2(math.e))
_BIAS = np.float32(EXPONENT_BIAS)
_TINIEST = np.float32(1e-30)
_FRAME = np.uint64(10)  # TRIANGLE_WIDTH
_CHUNK = 64
"""Gaussians that are taken together: what is known of them stays in the nearest cache."""
_RESULTS = np.uint64(11)  # of each Gaussian: what a splat has but its colour, bounds, depth
_PARENTS = 64 * 10
_FOUND = 64 * 11


@kernel
def project(
    frames: Floats,  # [F, 10] from `triangle_frames`
    owners: Ints,  # [N] triangle of each Gaussian
    static: Floats,  # [9, N, or up to 7 more] Gaussians that do not exist are not looked at
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

    Bounds enclose the ellipse on which the splat's opacity falls to `ALPHA_MIN`.
    """
    count = _U(0)
    parents = stack_floats(_PARENTS)
    results = stack_floats(_FOUND)
    chunk = _U(_CHUNK)
    for start in range(_U(0), _U(owners.shape[0]), chunk):
        begin = _U(start)
        some = min(chunk, _U(owners.shape[0]) - begin)
        for lane in range(some):
            triangle = _U(owners[begin + lane])
            for k in range(_FRAME):
                parents[k * chunk + lane] = frames[triangle, k]
        _project_chunk(
            parents,
            static,
            begin,
            some,
            focal_px,
            _F(width_px),
            _F(height_px),
            centre_x,
            centre_y,
            low_pass,
            results,
        )
        for lane in range(some):
            i = begin + lane
            x_from = results[_U(6) * chunk + lane]
            x_to = results[_U(7) * chunk + lane]
            y_from = results[_U(8) * chunk + lane]
            y_to = results[_U(9) * chunk + lane]
            for k in range(_U(6)):
                splats[count, k] = results[k * chunk + lane]
            for k in range(_U(3)):
                splats[count, _U(6) + k] = colors[i, k]
            bounds[count, 0] = int(x_from)
            bounds[count, 1] = int(x_to)
            bounds[count, 2] = int(y_from)
            bounds[count, 3] = int(y_to)
            depths[count] = results[_U(10) * chunk + lane]
            sources[count] = i
            # One that is not seen is overwritten by the next.
            count += _U((int(x_from) < int(x_to)) & (int(y_from) < int(y_to)))
    return int(count)


@kernel
def _project_chunk(
    parents: Floats,  # [10 * 64] of each Gaussian's triangle
    static: Floats,  # [9, P]
    begin: np.uint64,
    some: np.uint64,
    focal_px: np.float32,
    width_px: np.float32,
    height_px: np.float32,
    centre_x: np.float32,
    centre_y: np.float32,
    low_pass: np.float32,
    results: Floats,  # [11 * 64] out: centre, conic, log of the opacity, bounds, depth
) -> None:
    chunk = _U(_CHUNK)
    row = _U(static.shape[1])
    focal = splat(focal_px)
    nothing = splat(_F(0))
    for lane in range(_U(0), some, _U(LANES)):
        at = begin + lane
        b = load(static, row + at)
        c = load(static, _U(2) * row + at)
        total = load(static, at)
        ux = load(parents, _U(3) * chunk + lane)
        uy = load(parents, _U(4) * chunk + lane)
        uz = load(parents, _U(5) * chunk + lane)
        vx = load(parents, _U(6) * chunk + lane)
        vy = load(parents, _U(7) * chunk + lane)
        vz = load(parents, _U(8) * chunk + lane)
        z = total * load(parents, _U(2) * chunk + lane) + b * uz + c * vz
        inverse_z = splat(_F(1)) / z
        x = (total * load(parents, lane) + b * ux + c * vx) * inverse_z
        y = (total * load(parents, chunk + lane) + b * uy + c * vy) * inverse_z
        # The edges, projected.
        scale = focal * inverse_z
        jux = scale * (ux - x * uz)
        juy = scale * (uy - y * uz)
        jvx = scale * (vx - x * vz)
        jvy = scale * (vy - y * vz)
        a00 = load(static, _U(3) * row + at)
        a01 = load(static, _U(4) * row + at)
        a10 = load(static, _U(5) * row + at)
        a11 = load(static, _U(6) * row + at)
        p0 = jux * a00 + jvx * a10
        p1 = jux * a01 + jvx * a11
        q0 = juy * a00 + jvy * a10
        q1 = juy * a01 + jvy * a11
        sxx = p0 * p0 + p1 * p1 + splat(low_pass)
        sxy = p0 * q0 + p1 * q1
        syy = q0 * q0 + q1 * q1 + splat(low_pass)
        mx = focal * x + splat(centre_x)
        my = focal * y + splat(centre_y)
        log_opacity = load(static, _U(7) * row + at) + load(parents, _U(9) * chunk + lane)
        # Squared radius, in standard deviations, at which the opacity falls to ALPHA_MIN.
        reach = splat(_F(2)) * (log_opacity - splat(_LOG_ALPHA_MIN))
        extent_x = root(reach * sxx)
        extent_y = root(reach * syy)
        # Pixels whose centres, at k + 1/2, lie inside; all four are positive or cut to 0.
        near_x = mx + splat(_F(0.5))
        near_y = my + splat(_F(0.5))
        x_to = lesser(near_x + extent_x, splat(width_px))
        x_to = greater(kept(kept(x_to, reach, _TINIEST), z, _NEAR_MM), nothing)
        y_to = greater(lesser(near_y + extent_y, splat(height_px)), nothing)
        # -1/2 of the inverse covariance.
        factor = splat(_F(-0.5) * _LOG2_E) / (sxx * syy - sxy * sxy)
        store(results, lane, mx)
        store(results, chunk + lane, my)
        store(results, _U(2) * chunk + lane, syy * factor)
        store(results, _U(3) * chunk + lane, splat(_F(-2)) * sxy * factor)
        store(results, _U(4) * chunk + lane, sxx * factor)
        store(results, _U(5) * chunk + lane, log_opacity * splat(_LOG2_E) + splat(_BIAS))
        store(results, _U(6) * chunk + lane, greater(near_x - extent_x, nothing))
        store(results, _U(7) * chunk + lane, x_to)
        store(results, _U(8) * chunk + lane, greater(near_y - extent_y, nothing))
        store(results, _U(9) * chunk + lane, y_to)
        store(results, _U(10) * chunk + lane, z + load(static, _U(8) * row + at))
