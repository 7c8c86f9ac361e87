"""How much a splat covers of eight pixels, and when a block is covered."""

from __future__ import annotations

import math

import numpy as np

from lipstream.render.splats.jit import ALPHA_MIN, FALLOFF, TRANSMITTANCE_MIN, kernel
from lipstream.render.splats.vector import Float8, kept, splat

__all__ = ["CHECK_EVERY", "OPEN", "alpha_of"]

OPEN = np.float32(TRANSMITTANCE_MIN)
"""A block less open than this is covered: what lies behind is not looked at."""
CHECK_EVERY = 8
"""So many splats are blended between two looks at that."""
_CUT = np.float32(math.log(ALPHA_MIN) / 8)
_E0, _E1, _E2, _E3 = (np.float32(factor) for factor in FALLOFF)


@kernel
def alpha_of(p: Float8) -> Float8:  # an eighth of the logarithm
    e = splat(_E0) + p * (splat(_E1) + p * (splat(_E2) + p * splat(_E3)))
    e = e * e
    e = e * e
    return kept(e * e, p, _CUT)
