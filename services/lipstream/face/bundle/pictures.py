"""Pictures of a bundle, as PNG through Pillow."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput

__all__ = ["MAX_PICTURE_SIDE_PX", "pack_picture", "unpack_picture"]

MAX_PICTURE_SIDE_PX = 2048


def pack_picture(pixels: NDArray[np.uint8]) -> bytes:
    """PNG of a picture `# [H, W, 3]`, or of one with alpha `# [H, W, 4]`."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=4)
    return out.getvalue()


def unpack_picture(
    data: bytes, name: str, *, square: bool = True
) -> NDArray[np.uint8]:  # [H, W, 3 or 4]
    """A picture from PNG, with alpha where it has some.

    Args:
        name: of the member, for messages.
        square: whether it must be.

    Raises:
        BadInput: no PNG, damaged, of the wrong shape, or larger than 2048 pixels a side.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                fits = min(image.size) > 0 and max(image.size) <= MAX_PICTURE_SIDE_PX
                if fits and not (square and image.width != image.height):
                    mode = "RGBA" if image.mode == "RGBA" else "RGB"
                    return np.asarray(image.convert(mode), np.uint8)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
    ):
        pass
    raise BadInput(
        f"{name} in the avatar bundle is no {'square ' if square else ''}PNG of at most "
        f"{MAX_PICTURE_SIDE_PX} pixels a side.",
        remedy="Create the avatar again.",
        code="damaged_bundle",
    )
