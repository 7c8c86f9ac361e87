"""The pieces of a head's surface."""

from lipstream.face.parts.eyeballs import eyeball
from lipstream.face.parts.mouth_line import mouth_loop
from lipstream.face.parts.outline import jaw_sheet, outline_loop, rim
from lipstream.face.parts.part import Part, facing, grid_triangles, smoothstep
from lipstream.face.parts.skin import skin
from lipstream.face.parts.sock import sock
from lipstream.face.parts.teeth import LOWER_TEETH, UPPER_TEETH, Arch, teeth
from lipstream.face.parts.tongue import tongue

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
