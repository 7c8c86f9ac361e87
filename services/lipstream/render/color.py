"""Colours between the pictures that people look at and the planes that encoders take.

Inside, colours are sRGB values; video carries them as BT.709 YCbCr in limited range with chroma
at half resolution, which is what players assume of untagged HD video. The streams are tagged all
the same (`lipstream.render.video`).
"""

from __future__ import annotations

import numpy as np

from lipstream.face.motion import Floats
from lipstream.render.kernels import kernel
from lipstream.render.splats import Bytes

__all__ = ["OFFSET", "TO_YUV", "mix", "rgb_to_yuv420p", "yuv420p_to_rgb"]

# ITU-R BT.709-6, section 3: luma from R, G, B, and the two scaled colour differences.
_LUMA = np.array([0.2126, 0.7152, 0.0722])
_BLUE = (np.array([0.0, 0.0, 1.0]) - _LUMA) / (2 * (1 - _LUMA[2]))
_RED = (np.array([1.0, 0.0, 0.0]) - _LUMA) / (2 * (1 - _LUMA[0]))
TO_YUV = np.stack([219 * _LUMA, 224 * _BLUE, 224 * _RED])
_TO_RGB = np.linalg.inv(TO_YUV)
OFFSET = np.array([16.0, 128.0, 128.0])


_YR, _YG, _YB, _UR, _UG, _UB, _VR, _VG, _VB = (np.float32(k / 255) for k in TO_YUV.ravel())
_U = np.uint64
_F = np.float32


def rgb_to_yuv420p(rgb: Bytes) -> tuple[Bytes, Bytes, Bytes]:
    """[H, W, 3] sRGB to the planes Y [H, W], U and V [H / 2, W / 2]; both even."""
    height, width = rgb.shape[:2]
    y = np.empty((height, width), np.uint8)
    u, v = (np.empty((height // 2, width // 2), np.uint8) for _ in range(2))
    _split(np.ascontiguousarray(rgb), y, u, v)
    return y, u, v


@kernel
def mix(front: Bytes, alpha: Bytes, behind: Bytes, out: Bytes) -> None:
    """Straight colours [H, W, 3] with alpha [H, W] over others [H, W, 3]."""
    for row in range(_U(out.shape[0])):
        for column in range(_U(out.shape[1])):
            share = _F(alpha[row, column]) * _F(1 / 255)
            for k in range(_U(3)):
                base = _F(behind[row, column, k])
                value = base + share * (_F(front[row, column, k]) - base)
                out[row, column, k] = np.uint8(value + _F(0.5))


@kernel
def _split(rgb: Bytes, y: Bytes, u: Bytes, v: Bytes) -> None:
    for row in range(_U(u.shape[0])):
        for column in range(_U(u.shape[1])):
            red = _F(0)
            green = _F(0)
            blue = _F(0)
            for j in range(_U(4)):
                at_y = row * _U(2) + (j >> _U(1))
                at_x = column * _U(2) + (j & _U(1))
                r = _F(rgb[at_y, at_x, 0])
                g = _F(rgb[at_y, at_x, 1])
                b = _F(rgb[at_y, at_x, 2])
                y[at_y, at_x] = np.uint8(_YR * r + _YG * g + _YB * b + _F(16.5))
                red += r
                green += g
                blue += b
            quarter = _F(0.25)
            u[row, column] = np.uint8((_UR * red + _UG * green + _UB * blue) * quarter + _F(128.5))
            v[row, column] = np.uint8((_VR * red + _VG * green + _VB * blue) * quarter + _F(128.5))


def yuv420p_to_rgb(planes: Bytes) -> Floats:
    """[3 H / 2, W] planes one below the other to [H, W, 3] sRGB 0..1, chroma repeated."""
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    luma = planes[:height]
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    wide = chroma.repeat(2, axis=1).repeat(2, axis=2)
    yuv = np.stack([luma, wide[0], wide[1]], axis=-1).astype(np.float64) - OFFSET
    rgb: Floats = np.clip(yuv @ _TO_RGB.T, 0, 1).astype(np.float32)
    return rgb
