"""Names of the shapes and colour shapes that the rig gives a model."""

from __future__ import annotations

from lipstream.face.arkit import BLENDSHAPES

__all__ = [
    "COLOR_SHAPE_NAMES",
    "LID_LEFT",
    "LID_RIGHT",
    "LIP_REST",
    "LIP_TUCK",
    "MOUTH_SHADE",
    "PHOTO_PART",
    "PHOTO_SMILE",
    "SHAPE_NAMES",
    "TONGUE_TIP",
]

PHOTO_SMILE = "photoSmile"
"""Private shape: the smile that the photo had."""
PHOTO_PART = "photoPart"
"""Private shape: how far the photo's lips were parted."""
TONGUE_TIP = "tongueTip"
"""Private shape: the tip of the tongue at the edge of the upper teeth, as in /l/ and /th/."""
SHAPE_NAMES: tuple[str, ...] = (*BLENDSHAPES, PHOTO_SMILE, PHOTO_PART, TONGUE_TIP)

LID_LEFT, LID_RIGHT = "lidLeft", "lidRight"
"""Skin on a closing lid in place of stretched lashes."""
LIP_REST = "lipRest"
"""Lips at rest in place of the photo's stretched ones; the jaw's sides in their own colours."""
MOUTH_SHADE = "mouthShade"
"""The inside of a mouth that is hardly open."""
LIP_TUCK = "lipTuck"
"""The lower lip under the upper teeth: in their shadow, and rolled out of the light."""
COLOR_SHAPE_NAMES: tuple[str, ...] = (LID_LEFT, LID_RIGHT, LIP_REST, MOUTH_SHADE, LIP_TUCK)
