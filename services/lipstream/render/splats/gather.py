"""The adjoint of blending: what each splat would collect from a picture.

Blending is linear in the splats' colours: pixel = sum of weight x colour. Its adjoint sends a
picture of residuals back, which is all that an iterative solution for the colours needs.
"""

from __future__ import annotations

import numpy as np

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render.splats.jit import ALPHA_MAX, ALPHA_MIN, TRANSMITTANCE_MIN, kernel
from lipstream.render.splats.projection import Bounds

__all__ = ["gather"]

_U = np.uint64
_F = np.float32
_ALPHA_MIN = np.float32(ALPHA_MIN)
_ALPHA_MAX = np.float32(ALPHA_MAX)
_OPEN = np.float32(TRANSMITTANCE_MIN)
_LOWEST = np.float32(-0.72)
_SHRINK_EVERY = 8


@kernel
def gather(
    splats: Floats,  # [N, 9]
    bounds: Bounds,  # [N, 4]
    members: Ints,  # splats by tile
    starts: Ints,  # [tiles + 1]
    sources: Ints,  # [N] Gaussian of each splat
    residual: Floats,  # [S, S, 3]
    out: Floats,  # [Gaussians, 4] sums of weight x residual (3) and of weight
) -> None:
    """Walk the tiles with the weights of `blend`, which shrinks its rows in the same way."""
    size = residual.shape[0]
    columns = (size + 15) // 16
    planes = np.empty(1024, np.float32)
    out[:] = _F(0)
    for tile in range(starts.shape[0] - 1):
        if starts[tile] == starts[tile + 1]:
            continue
        top = (tile // columns) * 16
        left = (tile % columns) * 16
        width = min(16, size - left)
        height = min(16, size - top)
        for y in range(16):
            for x in range(16):
                inside = y < height and x < width
                planes[y * 16 + x] = _F(1) if inside else _F(0)
                for k in range(3):
                    value = residual[top + y, left + x, k] if inside else _F(0)
                    planes[256 * (k + 1) + y * 16 + x] = value
        low = 0
        high = 16
        until_shrink = _SHRINK_EVERY
        for q in range(starts[tile], starts[tile + 1]):
            i = members[q]
            mx = splats[i, 0] - (_F(left) + _F(0.5))
            my = splats[i, 1] - (_F(top) + _F(0.5))
            a = splats[i, 2]
            b = splats[i, 3]
            c = splats[i, 4]
            log_opacity = splats[i, 5]
            red = _F(0)
            green = _F(0)
            blue = _F(0)
            total = _F(0)
            row_from = max(bounds[i, 2] - top, low)
            row_to = min(bounds[i, 3] - top, high)
            for row in range(_U(row_from), _U(row_to)):
                dy = _F(row) - my
                constant = log_opacity + c * dy * dy
                slope = b * dy
                at = row * _U(16)
                for column in range(_U(16)):
                    dx = _F(column) - mx
                    p = max((a * dx + slope) * dx + constant, _LOWEST)
                    e = _F(1 / 24) + p * _F(1 / 120)
                    e = _F(1) + p * (_F(1) + p * (_F(0.5) + p * (_F(1 / 6) + p * e)))
                    e = e * e
                    e = e * e
                    e = e * e
                    alpha = min(e, _ALPHA_MAX)
                    alpha = alpha if alpha >= _ALPHA_MIN else _F(0)
                    open_ = planes[at + column]
                    weight = open_ * alpha
                    planes[at + column] = open_ - weight
                    red += weight * planes[_U(256) + at + column]
                    green += weight * planes[_U(512) + at + column]
                    blue += weight * planes[_U(768) + at + column]
                    total += weight
            source = sources[i]
            out[source, 0] += red
            out[source, 1] += green
            out[source, 2] += blue
            out[source, 3] += total
            until_shrink -= 1
            if until_shrink == 0:
                until_shrink = _SHRINK_EVERY
                while low < high:
                    most = _F(0)
                    for column in range(_U(16)):
                        most = max(most, planes[_U(low * 16) + column])
                    if most >= _OPEN:
                        break
                    low += 1
                while high > low:
                    most = _F(0)
                    for column in range(_U(16)):
                        most = max(most, planes[_U(high * 16 - 16) + column])
                    if most >= _OPEN:
                        break
                    high -= 1
                if low >= high:
                    break
