"""Decoding a photo or a video that anybody may have sent, in a bounded process.

`runtime.bounded` calls `decode` by name.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.photo import load_photo
from lipstream.avatar.video.footage import check_video, is_video
from lipstream.runtime.bounded import BoundedCalls

__all__ = ["decode", "decode_bounded"]


def decode_bounded(calls: BoundedCalls, path: Path) -> NDArray[np.uint8] | None:  # [H, W, 3]
    """A photo's pixels, upright; nothing of a video, of which it is only seen whether it can be
    read.

    Raises:
        BadInput: it cannot be used.
    """
    pixels = path.with_name(f"{path.name}.npy")
    if not calls.call("lipstream.avatar.video.gate:decode", str(path), str(pixels)):
        return None
    found: NDArray[np.uint8] = np.load(pixels, allow_pickle=False)
    return found


def decode(path: str, pixels: str) -> bool:
    """In the bounded process: write a photo's pixels as .npy, and say whether it is one."""
    if is_video(Path(path)):
        check_video(Path(path))
        return False
    np.save(pixels, load_photo(Path(path)).pixels)
    return True
