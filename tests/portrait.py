"""The portrait that the tests make their avatar from."""

from __future__ import annotations

from pathlib import Path

__all__ = ["AVATAR", "CONSENT", "hopper_photo"]

AVATAR = "grace"
CONSENT = "Public domain: US Navy photo, bundled with matplotlib."


def hopper_photo() -> Path:
    """Rear Admiral Grace Hopper, US Navy, public domain; part of matplotlib."""
    from matplotlib import cbook

    return Path(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
