"""Names for the 478 points of MediaPipe's face mesh that the rig holds on to.

Left and right are the person's own; every row of points runs from the person's right to the
person's left, which is left to right in a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "BROWS",
    "CHIN",
    "EYES",
    "FACE_OVAL",
    "FOREHEAD",
    "INNER_LIP_CORNERS",
    "LANDMARK_COUNT",
    "LOWER_LIP",
    "MESH_COUNT",
    "NOSE",
    "NOSE_BRIDGE",
    "SYMMETRIC_PAIRS",
    "UPPER_FACE",
    "UPPER_LIP",
    "Brow",
    "Eye",
    "Ring",
]

LANDMARK_COUNT = 478
"""With the ten iris points."""
MESH_COUNT = 468
"""Points that the triangulation uses; the iris points follow them."""

NOSE_BRIDGE = 168
CHIN = 152
FOREHEAD = 10
INNER_LIP_CORNERS = (78, 308)


class Ring(IntEnum):
    """Rings of lip points, from the line where the lips meet outwards."""

    INNER = 0
    WET = 1
    VERMILION = 2
    BORDER = 3
    SKIN = 4


UPPER_LIP: tuple[tuple[int, ...], ...] = (
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    (57, 186, 92, 165, 167, 164, 393, 391, 322, 410, 287),
)
"""Indexed by `Ring`; the two ends of a ring are corners that both lips share."""
LOWER_LIP: tuple[tuple[int, ...], ...] = (
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    (57, 43, 106, 182, 83, 18, 313, 406, 335, 273, 287),
)


@dataclass(frozen=True, slots=True)
class Eye:
    """Lid edges and the lines one step outside them, outer corner first; the iris."""

    upper: tuple[int, ...]
    lower: tuple[int, ...]
    upper_fold: tuple[int, ...]
    lower_fold: tuple[int, ...]
    iris: tuple[int, ...]
    """Centre first, then four points on its rim."""

    @property
    def edge(self) -> tuple[int, ...]:
        """The opening as a closed polygon."""
        return self.upper + self.lower[-2:0:-1]

    @property
    def points(self) -> tuple[int, ...]:
        return self.upper + self.lower + self.upper_fold + self.lower_fold


@dataclass(frozen=True, slots=True)
class Brow:
    """Upper and lower edge, outer end first."""

    upper: tuple[int, ...]
    lower: tuple[int, ...]

    @property
    def points(self) -> tuple[int, ...]:
        return self.upper + self.lower


EYES: dict[str, Eye] = {
    "Left": Eye(
        upper=(263, 466, 388, 387, 386, 385, 384, 398, 362),
        lower=(263, 249, 390, 373, 374, 380, 381, 382, 362),
        upper_fold=(359, 467, 260, 259, 257, 258, 286, 414, 463),
        lower_fold=(359, 255, 339, 254, 253, 252, 256, 341, 463),
        iris=(473, 474, 475, 476, 477),
    ),
    "Right": Eye(
        upper=(33, 246, 161, 160, 159, 158, 157, 173, 133),
        lower=(33, 7, 163, 144, 145, 153, 154, 155, 133),
        upper_fold=(130, 247, 30, 29, 27, 28, 56, 190, 243),
        lower_fold=(130, 25, 110, 24, 23, 22, 26, 112, 243),
        iris=(468, 469, 470, 471, 472),
    ),
}
BROWS: dict[str, Brow] = {
    "Left": Brow(upper=(300, 293, 334, 296, 336), lower=(276, 283, 282, 295, 285)),
    "Right": Brow(upper=(70, 63, 105, 66, 107), lower=(46, 53, 52, 65, 55)),
}

FACE_OVAL: tuple[int, ...] = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288),
    *(397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136),
    *(172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""The outline of the mesh, from the forehead round the person's left to the chin and back."""
NOSE: tuple[int, ...] = (1, 2, 4, 5, 195, 197, 6, 168, 98, 327, 48, 278, 64, 294, 19, 94)
UPPER_FACE: tuple[int, ...] = (6, 168, 8, 9, 10, 151)
SYMMETRIC_PAIRS: tuple[tuple[int, int], ...] = (
    *((33, 263), (133, 362), (61, 291), (234, 454), (127, 356), (93, 323), (132, 361)),
    *((58, 288), (172, 397), (136, 365), (150, 379), (149, 378), (70, 300), (105, 334)),
    *((55, 285), (50, 280), (205, 425), (48, 278), (98, 327)),
)
"""(right, left) points that mirror each other: together they give the head's x axis."""
