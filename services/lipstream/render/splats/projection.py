"""Splats from the surface onto the picture.

A splat's covariance is `(E A)(E A)^T` with E the triangle's edges and A its axes. Projecting the
two edges first needs no rotation and no 3x3 product: with J the derivative of the perspective
division at the centre, the picture's covariance is `(J E A)(J E A)^T` plus the low-pass.
"""

from __future__ import annotations

import math

import numpy as np

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render.kernels import kernel
from lipstream.render.kernels.vector import (
    LANES,
    any_at_least,
    greater,
    kept,
    lesser,
    load,
    load_points,
    root,
    splat,
    stack_floats,
    stack_ints,
    store,
    store_turned,
    whole,
)
from lipstream.render.splats.constants import ALPHA_MIN, EXPONENT_BIAS, FADE_COSINE
from lipstream.render.splats.tiles import REACH_INTS, note_touched, touch_tiles

__all__ = ["SPLAT_WIDTH", "STATIC_WIDTH", "project"]

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
_INVERSE_FADE = np.float32(1.0 / FADE_COSINE)
_HIDDEN = np.float32(-100.0)
"""Log of the fade of a triangle that is not drawn."""
_HARDLY = np.float32(1e-12)
_LANES = np.uint64(LANES)
_FOUND = 64
_DEPTH = np.uint64(6)
_COLOR = np.uint64(6)


@kernel
def project(
    points: Floats,  # [V, 3] mm, camera frame; with room for one number more behind them
    corners: Ints,  # [3, N or up to 7 more] vertices of each Gaussian's triangle
    static: Floats,  # [9, as many] Gaussians that do not exist are not looked at
    colors: Floats,  # [N, 3]
    order: Ints,  # [N] the model's number of each Gaussian
    cull_cosine: np.float32,
    focal_px: np.float32,
    width_px: int,
    height_px: int,
    centre_x: np.float32,  # px, of the camera's axis
    centre_y: np.float32,
    low_pass: np.float32,  # px^2
    columns: int,  # of tiles
    splats: Floats,  # [N, 9] out
    touched: Ints,  # [N, 3] out: see `tiles`
    tile_corners: Ints,  # [tiles + columns + rows + 1] out: see `tiles.count_tiles`
    depths: Floats,  # [N] out: mm, with the bias
    sources: Ints,  # [N] out: the model's number of each splat
) -> int:
    """Pack the splats that can touch the picture to the front of the outputs; return how many.

    What a splat touches encloses the ellipse on which its opacity falls to `ALPHA_MIN`. A triangle
    fades by how far it faces the camera: from nothing where the cosine between normal and view ray
    is under `cull_cosine` to all of it over the next `FADE_COSINE`.
    """
    for corner in range(_U(tile_corners.shape[0])):
        tile_corners[corner] = 0
    count = _U(0)
    total = _U(colors.shape[0])
    found = stack_floats(_FOUND)
    reach = stack_ints(REACH_INTS)
    for begin in range(_U(0), total, _LANES):
        _project_eight(
            points,
            corners,
            static,
            _U(begin),
            cull_cosine,
            focal_px,
            _F(width_px),
            _F(height_px),
            centre_x,
            centre_y,
            low_pass,
            columns,
            found,
            reach,
        )
        for lane in range(min(_LANES, total - _U(begin))):
            i = _U(begin) + lane
            # One that is not seen is overwritten by the next.
            store(splats, count * _U(SPLAT_WIDTH), load(found, lane * _LANES))
            for k in range(_U(3)):
                splats[count, _COLOR + k] = colors[i, k]
            depths[count] = found[lane * _LANES + _DEPTH]
            sources[count] = order[i]
            count += note_touched(reach, lane, count, touched, tile_corners)
    return int(count)


@kernel
def _project_eight(
    points: Floats,  # [V, 3]
    corners: Ints,  # [3, P]
    static: Floats,  # [9, P]
    at: np.uint64,
    cull_cosine: np.float32,
    focal_px: np.float32,
    width_px: np.float32,
    height_px: np.float32,
    centre_x: np.float32,
    centre_y: np.float32,
    low_pass: np.float32,
    columns: int,
    found: Floats,  # [8, 8] out: of each Gaussian centre 2, conic 3, log of the opacity, depth
    reach: Ints,  # [64] out: see `touch_tiles`
) -> None:
    row = _U(static.shape[1])
    focal = splat(focal_px)
    nothing = splat(_F(0))
    ax, ay, az = load_points(points, corners, at)
    ux, uy, uz = load_points(points, corners, row + at)
    vx, vy, vz = load_points(points, corners, _U(2) * row + at)
    ux = ux - ax
    uy = uy - ay
    uz = uz - az
    vx = vx - ax
    vy = vy - ay
    vz = vz - az
    # How far the triangle faces away, over the range in which it fades.
    nx = uy * vz - uz * vy
    ny = uz * vx - ux * vz
    nz = ux * vy - uy * vx
    third = splat(_F(1.0 / 3.0))
    px = ax + (ux + vx) * third
    py = ay + (uy + vy) * third
    pz = az + (uz + vz) * third
    length = root((nx * nx + ny * ny + nz * nz) * (px * px + py * py + pz * pz))
    cosine = (nx * px + ny * py + nz * pz) / (nothing - length - splat(_F(1e-20)))
    away = splat(_F(1)) - (cosine - splat(cull_cosine)) * splat(_INVERSE_FADE)
    log_opacity = load(static, _U(7) * row + at)
    if any_at_least(away, away, _HARDLY):
        store(found, _U(0), away)
        for lane in range(_LANES):
            fade = _F(1) - found[lane]
            if fade >= _F(1):
                found[lane] = _F(0)
            elif fade > _F(0):
                found[lane] = math.log(fade)
            else:
                found[lane] = _HIDDEN
        log_opacity = log_opacity + load(found, _U(0))
    b = load(static, row + at)
    c = load(static, _U(2) * row + at)
    total = load(static, at)
    z = total * az + b * uz + c * vz
    inverse_z = splat(_F(1)) / z
    x = (total * ax + b * ux + c * vx) * inverse_z
    y = (total * ay + b * uy + c * vy) * inverse_z
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
    # Squared radius, in standard deviations, at which the opacity falls to ALPHA_MIN.
    reach_2 = splat(_F(2)) * (log_opacity - splat(_LOG_ALPHA_MIN))
    extent_x = root(reach_2 * sxx)
    extent_y = root(reach_2 * syy)
    # Pixels whose centres, at k + 1/2, lie inside; all four are inside the picture, or cut to it.
    near_x = mx + splat(_F(0.5))
    near_y = my + splat(_F(0.5))
    width = splat(width_px)
    height = splat(height_px)
    x_to = lesser(near_x + extent_x, width)
    x_to = greater(kept(kept(x_to, reach_2, _TINIEST), z, _NEAR_MM), nothing)
    y_to = greater(lesser(near_y + extent_y, height), nothing)
    touch_tiles(
        whole(lesser(greater(near_x - extent_x, nothing), width)),
        whole(x_to),
        whole(lesser(greater(near_y - extent_y, nothing), height)),
        whole(y_to),
        columns,
        reach,
    )
    # -1/2 of the inverse covariance.
    factor = splat(_F(-0.5) * _LOG2_E) / (sxx * syy - sxy * sxy)
    depth = z + load(static, _U(8) * row + at)
    store_turned(
        found,
        _U(0),
        mx,
        my,
        syy * factor,
        splat(_F(-2)) * sxy * factor,
        sxx * factor,
        log_opacity * splat(_LOG2_E) + splat(_BIAS),
        depth,
        depth,
    )
