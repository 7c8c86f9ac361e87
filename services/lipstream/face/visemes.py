"""Canonical poses: what the rig does for a few visemes, for sheets and tests.

Speech itself comes from the motion stage; these are the poses one looks at to judge a rig.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lipstream.face.arkit import BLENDSHAPE_COUNT, INDEX
from lipstream.face.motion import Floats

__all__ = ["VISEMES", "blendshape_vector"]


def _both(name: str, weight: float) -> dict[str, float]:
    return {name + "Left": weight, name + "Right": weight}


VISEMES: dict[str, dict[str, float]] = {
    "rest": {},
    "AA": {"jawOpen": 0.48, **_both("mouthLowerDown", 0.12), **_both("mouthUpperUp", 0.22)},
    "IY": {
        "jawOpen": 0.10,
        **_both("mouthSmile", 0.2),
        **_both("mouthStretch", 0.4),
        **_both("mouthUpperUp", 0.35),
        **_both("mouthLowerDown", 0.45),
    },
    "UW": {"mouthPucker": 0.9, "mouthFunnel": 0.15, "jawOpen": 0.04},
    "OW": {"mouthFunnel": 0.6, "mouthPucker": 0.45, "jawOpen": 0.2},
    "M": {**_both("mouthPress", 0.55), "mouthRollLower": 0.15, "mouthRollUpper": 0.1},
    "FV": {
        "jawOpen": 0.05,
        "mouthRollLower": 0.75,
        "mouthShrugLower": 0.2,
        **_both("mouthUpperUp", 0.6),
    },
    "TH": {
        "jawOpen": 0.15,
        "tongueOut": 0.3,
        **_both("mouthUpperUp", 0.3),
        **_both("mouthLowerDown", 0.2),
    },
    "L": {
        "jawOpen": 0.18,
        "tongueOut": 0.12,
        **_both("mouthUpperUp", 0.25),
        **_both("mouthLowerDown", 0.2),
    },
    "blink": _both("eyeBlink", 1.0),
}
"""Blendshape weights by viseme (ARPAbet) or gesture."""


def blendshape_vector(weights: Mapping[str, float]) -> Floats:  # [52]
    """Named weights in ARKit's order.

    Raises:
        KeyError: a name is not one of the 52.
    """
    vector = np.zeros(BLENDSHAPE_COUNT, np.float32)
    for name, weight in weights.items():
        vector[INDEX[name]] = weight
    return vector
