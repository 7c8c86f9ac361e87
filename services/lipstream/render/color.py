"""Colours between the pictures that people look at and the planes that encoders take.

Inside, colours are sRGB values; video carries them as BT.709 YCbCr in limited range with chroma
at half resolution, which is what players assume of untagged HD video. The streams are tagged all
the same (`lipstream.render.video`).
"""

from __future__ import annotations

import numpy as np

from lipstream.face.motion import Floats
from lipstream.render.splats import Bytes

__all__ = ["OFFSET", "TO_YUV", "rgb_to_yuv420p", "yuv420p_to_rgb"]

# ITU-R BT.709-6, section 3: luma from R, G, B, and the two scaled colour differences.
_LUMA = np.array([0.2126, 0.7152, 0.0722])
_BLUE = (np.array([0.0, 0.0, 1.0]) - _LUMA) / (2 * (1 - _LUMA[2]))
_RED = (np.array([1.0, 0.0, 0.0]) - _LUMA) / (2 * (1 - _LUMA[0]))
TO_YUV = np.stack([219 * _LUMA, 224 * _BLUE, 224 * _RED])
_TO_RGB = np.linalg.inv(TO_YUV)
OFFSET = np.array([16.0, 128.0, 128.0])


def rgb_to_yuv420p(rgb: Bytes) -> tuple[Bytes, Bytes, Bytes]:
    """[S, S, 3] sRGB to the planes Y [S, S], U and V [S / 2, S / 2]; S even."""
    half = rgb.shape[0] // 2
    yuv = rgb.astype(np.float32) / np.float32(255) @ TO_YUV.T.astype(np.float32) + OFFSET
    chroma = yuv[..., 1:].reshape(half, 2, half, 2, 2).mean(axis=(1, 3))
    luma = np.rint(yuv[..., 0]).astype(np.uint8)
    chroma8 = np.rint(chroma).astype(np.uint8)
    return (
        np.ascontiguousarray(luma),
        np.ascontiguousarray(chroma8[..., 0]),
        np.ascontiguousarray(chroma8[..., 1]),
    )


def yuv420p_to_rgb(planes: Bytes) -> Floats:
    """[3 S / 2, S] planes one below the other to [S, S, 3] sRGB 0..1, chroma repeated."""
    size = planes.shape[1]
    flat = planes.reshape(-1)
    luma = flat[: size * size].reshape(size, size)
    chroma = flat[size * size :].reshape(2, size // 2, size // 2)
    wide = chroma.repeat(2, axis=1).repeat(2, axis=2)
    yuv = np.stack([luma, wide[0], wide[1]], axis=-1).astype(np.float64) - OFFSET
    rgb: Floats = np.clip(yuv @ _TO_RGB.T, 0, 1).astype(np.float32)
    return rgb
