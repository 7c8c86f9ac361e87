"""The constants that the kernels of this folder share.

Scalars in kernels are float32 and indices inside pixel loops uint64: wider floats or signed indices
keep the compiler from vectorising them.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "ALPHA_MAX",
    "ALPHA_MIN",
    "EXPONENT_BIAS",
    "EXPONENT_STEP_BITS",
    "FADE_COSINE",
    "FALLOFF",
    "LOW_PASS_PX2",
    "REFERENCE_SIZE_PX",
    "TILE_PX",
    "TRANSMITTANCE_MIN",
    "low_pass_px2",
]

TILE_PX = 16
ALPHA_MIN = 1.0 / 255.0
"""Contributions under this are left out (as in gsplat)."""
ALPHA_MAX = 0.999
"""Opacities are cut here: a pixel behind a splat never goes quite dark."""
EXPONENT_BIAS = 639.0
"""Added to the exponents of 2 that splats fall off with: a float32 over 512 counts in steps of
2^-`EXPONENT_STEP_BITS`, so that its bits are those of a number with a fixed point, and 127 of what
is over 512 is the exponents' bias in IEEE 754."""
EXPONENT_STEP_BITS = 14
FALLOFF = (1.45708293, -0.69422870, 0.23370430)
"""2^(m - 1) / m over 1..2 as a polynomial, within 3.5e-3 of it."""
TRANSMITTANCE_MIN = 2.0 / 255.0
"""Pixels that let less than this through are finished: what is behind would change them by a step
of 8 bits, where its colour is quite another."""
FADE_COSINE = 0.06
"""Triangles fade in over this range of cosines above the cull threshold, so none pops."""
REFERENCE_SIZE_PX = 512
LOW_PASS_PX2 = 0.3
"""Variance added to every splat on a picture of `REFERENCE_SIZE_PX` (as in gsplat)."""
_SMALL_PICTURE_PX2 = 0.03


def low_pass_px2(size_px: int) -> np.float32:
    """Variance that every splat gains on a picture of that size, in its pixels squared.

    It scales with the picture, so that the look does not depend on the size. Smaller pictures
    need a little more, for their pixels average what falls between their centres; this much
    brings them closest to the averaged picture of the reference size.
    """
    scale = size_px / REFERENCE_SIZE_PX
    missing = max(0.0, 1.0 - scale * scale) * _SMALL_PICTURE_PX2
    return np.float32(LOW_PASS_PX2 * scale * scale + missing)
