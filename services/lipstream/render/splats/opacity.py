"""How much a splat covers of eight pixels, and when a block is covered."""

from __future__ import annotations

import math

import numpy as np

from lipstream.render.kernels import kernel
from lipstream.render.kernels.vector import Float8, kept, shifted, significand, splat
from lipstream.render.splats.constants import (
    ALPHA_MIN,
    EXPONENT_BIAS,
    EXPONENT_STEP_BITS,
    FALLOFF,
    TRANSMITTANCE_MIN,
)

__all__ = ["CHECK_EVERY", "OPEN", "alpha_of"]

OPEN = np.float32(TRANSMITTANCE_MIN)
"""A block less open than this is covered: what lies behind is not looked at."""
CHECK_EVERY = 8
"""So many splats are blended between two looks at that."""
_CUT = np.float32(math.log2(ALPHA_MIN) + EXPONENT_BIAS)
_SHIFT = 23 - EXPONENT_STEP_BITS
_E0, _E1, _E2 = (np.float32(factor) for factor in FALLOFF)


@kernel
def alpha_of(exponent: Float8) -> Float8:  # of 2, with `EXPONENT_BIAS`
    """
    Shifted left, the exponent's bits are those of a float that is right at whole exponents, and
    between them on a straight line; its significand says by what to multiply it (Schraudolph, "A
    fast, compact approximation of the exponential function", 1999).
    """
    line = shifted(exponent, _SHIFT)
    m = significand(line)
    return kept(line * (splat(_E0) + m * (splat(_E1) + m * splat(_E2))), exponent, _CUT)
