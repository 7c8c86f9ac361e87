"""Public-domain portraits that come with the test environment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

__all__ = ["astronaut", "hopper", "pixels"]


def hopper() -> Path:
    """Grace Hopper: from the front, mouth closed, glasses and a hat (matplotlib)."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def astronaut() -> Path:
    """Eileen Collins: a small face with a toothy smile (scikit-image)."""
    data = pytest.importorskip("skimage.data")
    return Path(data.__file__).parent / "astronaut.png"


def pixels(path: Path) -> NDArray[np.uint8]:  # [H, W, 3]
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), np.uint8)
