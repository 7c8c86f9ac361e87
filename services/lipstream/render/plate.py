"""The plate at the size of the picture, ready for every output: resized once, not every frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipstream.face.motion import Floats
from lipstream.render.color import rgb_to_yuv420p
from lipstream.render.splats import Bytes

__all__ = ["Plate", "resize"]

_LOBES = 3


@dataclass(frozen=True, slots=True)
class Plate:
    """Background and torso, behind the splats."""

    rgb: Bytes  # [S, S, 3]
    y: Bytes  # [S, S]
    u: Bytes  # [S / 2, S / 2]
    v: Bytes  # [S / 2, S / 2]

    @classmethod
    def fit(cls, picture: Bytes, size_px: int) -> Plate:  # [P, P, 3]
        rgb = resize(picture, size_px)
        y, u, v = rgb_to_yuv420p(rgb)
        return cls(rgb, y, u, v)


def resize(picture: Bytes, size_px: int) -> Bytes:  # [P, P, 3] -> [S, S, 3]
    """Lanczos resampling of a square picture, widened when shrinking so that nothing aliases."""
    if picture.shape[0] == size_px:
        return np.array(picture, np.uint8, order="C")
    weights = _lanczos(picture.shape[0], size_px)
    columns = np.einsum("sp,pqc->sqc", weights, picture.astype(np.float32), optimize=True)
    rows = np.einsum("sq,pqc->psc", weights, columns, optimize=True)
    return np.ascontiguousarray(np.clip(np.rint(rows), 0, 255).astype(np.uint8))


def _lanczos(source_px: int, target_px: int) -> Floats:  # [target, source], rows sum to 1
    step = source_px / target_px
    reach = max(step, 1.0)
    centres = (np.arange(target_px) + 0.5) * step - 0.5
    distance = (np.arange(source_px)[None] - centres[:, None]) / reach
    weights = np.sinc(distance) * np.sinc(distance / _LOBES) * (np.abs(distance) < _LOBES)
    normalised: Floats = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised
