"""A layer of painted Gaussians, before layers are joined into a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.binding import Binding

__all__ = ["Layer"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Layer:
    """Gaussians of one kind.

    `latitude` bounds how far the colour solve may move each colour. Hidden, grazing and
    borrowed Gaussians get none: they would be pushed to white and show when the head turns. Beside
    those others make up for them: what is solved there is `photo_only`.
    """

    name: str
    binding: Binding
    colors: Array  # [N, 3] sRGB 0..1
    opacities: Array  # [N]
    latitude: Array  # [N] 0..1
    depth_bias_mm: float = 0.0
    tints: Mapping[str, Array] = field(default_factory=dict)  # [N, 3] by colour shape
    photo_only: Array | None = None  # [N] 0..1, how much of what is solved is for its view alone
