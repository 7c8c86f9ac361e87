"""One person for tests: landmarks of scikit-image's public-domain astronaut, in a 512 px square."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipstream.face.rig import Rig, build_rig

__all__ = ["SIZE_PX", "landmarks", "rig"]

SIZE_PX = 512


def landmarks() -> NDArray[np.float64]:  # [478, 3] pixels
    stored = np.load(Path(__file__).with_name("astronaut_landmarks.npy"))
    return np.asarray(stored, np.float64)


@cache
def rig() -> Rig:
    return build_rig(landmarks(), SIZE_PX)
