"""The pieces of a head's surface."""

from lipstream.face.parts.eyeballs import eyeball
from lipstream.face.parts.mouth import (
    LOWER_TEETH,
    UPPER_TEETH,
    Arch,
    mouth_loop,
    sock,
    teeth,
    tongue,
)
from lipstream.face.parts.outline import jaw_sheet, outline_loop, rim
from lipstream.face.parts.part import Part, facing, grid_triangles, smoothstep
from lipstream.face.parts.skin import skin

__all__ = [
    "LOWER_TEETH",
    "UPPER_TEETH",
    "Arch",
    "Part",
    "eyeball",
    "facing",
    "grid_triangles",
    "jaw_sheet",
    "mouth_loop",
    "outline_loop",
    "rim",
    "skin",
    "smoothstep",
    "sock",
    "teeth",
    "tongue",
]
