"""What finds landmarks in pictures."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Seer"]


class Seer(Protocol):
    """Finds landmarks, as `lipstream.avatar.detector.FaceDetector` does."""

    def landmarks(self, picture: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """`# [478, 3]` in pixels of the face that stands out most in `# [H, W, 3]`."""
        ...
