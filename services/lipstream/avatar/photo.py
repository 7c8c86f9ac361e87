"""Reading a photo that anybody may have sent: bounded before it is decoded."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from lipstream.errors import BadInput, NotFound, TooLarge

__all__ = ["MAX_PHOTO_BYTES", "MAX_PHOTO_PIXELS", "MIN_PHOTO_SIDE_PX", "Photo", "load_photo"]

MAX_PHOTO_BYTES = 25 * 1024 * 1024
MAX_PHOTO_PIXELS = 40_000_000
MIN_PHOTO_SIDE_PX = 96
_WORK_SIDE_PX = 2400
"""Larger photos are reduced: an avatar keeps 512 pixels around the head."""
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded photo, upright."""

    pixels: NDArray[np.uint8]  # [H, W, 3] sRGB
    kind: str  # image format, such as "jpeg"
    sha256: str  # of the file
    width_px: int  # of the file, upright
    height_px: int


def load_photo(source: bytes | Path | str) -> Photo:
    """Decode a photo: JPEG, PNG, WebP, BMP, TIFF or the first frame of a GIF.

    Args:
        source: the file's bytes, or its path.

    Raises:
        NotFound: there is no such file.
        TooLarge: more than 25 MB, or more than 40 million pixels; nothing was decoded.
        BadInput: no image, a damaged one, or one under 96 pixels.
    """
    data = source if isinstance(source, bytes) else _read(Path(source))
    if len(data) > MAX_PHOTO_BYTES:
        raise _too_many_bytes()
    try:
        with warnings.catch_warnings():
            # Pillow warns of decompression bombs; sizes are checked here, before decoding.
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError:
        raise _too_many_pixels("") from None
    except Exception:  # Pillow's readers let anything through that a hostile file provokes
        raise BadInput(
            "The file is not an image that can be read.",
            remedy="Send a JPEG, PNG or WebP photo.",
            code="not_an_image",
        ) from None
    with image:
        _check_size(image.width, image.height)
        kind = (image.format or "image").lower()
        pixels, size = _decode(image)
    return Photo(pixels, kind, hashlib.sha256(data).hexdigest(), *size)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_PHOTO_BYTES:
            raise _too_many_bytes()
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"There is no photo at {path}.") from None
    except OSError as error:
        raise BadInput(f"The photo at {path} cannot be read: {error.strerror}.") from None


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PHOTO_PIXELS:
        raise _too_many_pixels(f" It has {width} x {height}.")
    if min(width, height) < MIN_PHOTO_SIDE_PX:
        raise BadInput(
            f"The photo is too small: {width} x {height} pixels.",
            remedy=f"Send one of at least {MIN_PHOTO_SIDE_PX} pixels a side, better 512.",
            code="too_small",
        )


def _decode(image: Image.Image) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Lets the JPEG decoder itself skip resolution that is not needed.
            image.draft("RGB", (_WORK_SIDE_PX, _WORK_SIDE_PX))
            full_width, full_height = image.width, image.height
            upright = _eight_bit(ImageOps.exif_transpose(image))
            if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                layer = upright.convert("RGBA")
                ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
                upright = Image.alpha_composite(ground, layer)
            rgb = upright.convert("RGB")
    except Exception:  # as above
        raise BadInput(
            "The image is damaged: it cannot be decoded to its end.",
            remedy="Save or upload it again.",
            code="damaged_image",
        ) from None
    turned = (rgb.width > rgb.height) != (full_width > full_height)
    size = (full_height, full_width) if turned else (full_width, full_height)
    if max(rgb.size) > _WORK_SIDE_PX:
        rgb.thumbnail((_WORK_SIDE_PX, _WORK_SIDE_PX), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.asarray(rgb, np.uint8), size


def _eight_bit(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits, scaled; Pillow would cut it off at 255.

    Whole numbers are of 16 bits where one is over 255; floats are 0..1 where none is over 1.
    """
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    values = np.nan_to_num(np.asarray(image, np.float32))
    brightest = float(values.max(initial=0.0))
    if image.mode == "F" and brightest <= 1.0:
        scale = 255.0
    else:
        scale = 255.0 / 65_535.0 if brightest > 255.0 else 1.0
    return Image.fromarray((values * scale).clip(0, 255).astype(np.uint8), "L")


def _too_many_bytes() -> TooLarge:
    return TooLarge(
        f"The photo is larger than {MAX_PHOTO_BYTES // 2**20} MB.", remedy="Send a smaller one."
    )


def _too_many_pixels(size: str) -> TooLarge:
    return TooLarge(
        f"The photo has more than {MAX_PHOTO_PIXELS // 1_000_000} million pixels.{size}",
        remedy="Send a smaller one.",
    )
