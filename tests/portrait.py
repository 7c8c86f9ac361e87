"""The portrait that the tests make their avatar from."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["AVATAR", "CONSENT", "hopper_photo", "masked_photo"]

AVATAR = "grace"
CONSENT = "Public domain: US Navy photo, bundled with matplotlib."


def hopper_photo() -> Path:
    """Rear Admiral Grace Hopper, US Navy, public domain; part of matplotlib."""
    from matplotlib import cbook

    return Path(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))


def masked_photo() -> bytes:
    """The same with a dark cloth before the mouth: a face is found, yet it has no lips. PNG."""
    with Image.open(hopper_photo()) as photo:
        pixels = np.array(photo.convert("RGB"))
    cloth = pixels[246:308, 212:323]
    cloth[:] = np.random.default_rng(0).normal(15, 8, cloth.shape).clip(0, 255)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()
