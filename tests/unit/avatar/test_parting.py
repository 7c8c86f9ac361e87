"""Parted lips show teeth, tongue or dark: the teeth of the rig go where those of the photo are."""

from __future__ import annotations

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.avatar.canvas import crop_head
from lipstream.avatar.detector import FaceDetector
from lipstream.avatar.parting import find_teeth, place_teeth
from lipstream.avatar.polygon import polygon_mask
from lipstream.face.landmarks import LOWER_LIP, UPPER_LIP, Ring
from lipstream.face.parts import LOWER_TEETH, UPPER_TEETH
from lipstream.face.rig import build_rig
from lipstream.face.shape_names import PHOTO_PART
from tests.shared_data import shared_data
from tests.unit.avatar.portraits import astronaut, pixels
from tests.unit.face.person import SIZE_PX, landmarks

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]

_OPENED_PX = 26
_SKIN, _LIPS, _TEETH, _TONGUE, _DARK = (
    (215, 165, 140),
    (180, 95, 95),
    (200, 190, 172),
    (150, 80, 78),
    (40, 18, 18),
)
Bands = tuple[tuple[float, tuple[int, int, int]], ...]
"""Shares of the way down at which colours end, and those colours."""


def opened() -> Points:
    """A face whose lower lip has been let down."""
    points = landmarks().copy()
    points[[i for ring in LOWER_LIP for i in ring[1:-1]], 1] += _OPENED_PX
    return points


def drawn(points: Points, bands: Bands) -> Pixels:
    """That face with lips, and what lies between them."""
    picture = np.full((SIZE_PX, SIZE_PX, 3), _SKIN, np.uint8)
    upper, lower = (points[list(lip[Ring.INNER]), :2] for lip in (UPPER_LIP, LOWER_LIP))
    border = [points[list(lip[Ring.BORDER]), :2] for lip in (UPPER_LIP, LOWER_LIP)]
    picture[polygon_mask(np.concatenate([border[0], border[1][::-1]]))] = _LIPS
    inside = polygon_mask(np.concatenate([upper, lower[::-1]]))
    x, y = np.arange(SIZE_PX)[None, :] + 0.5, np.arange(SIZE_PX)[:, None] + 0.5
    top, bottom = (np.interp(x, edge[:, 0], edge[:, 1]) for edge in (upper, lower))
    share = (y - top) / np.maximum(bottom - top, 1e-6)
    for end, color in reversed(bands):
        picture[inside & (share < end)] = color
    return picture


@pytest.mark.parametrize(
    ("bands", "upper", "lower"),
    [
        (((0.35, _TEETH), (0.7, _DARK), (1.0, _TEETH)), 0.35, 0.7),
        (((0.4, _DARK), (0.7, _TONGUE), (1.0, _TEETH)), None, 0.7),
        (((0.3, _TEETH), (1.0, _TONGUE)), 0.3, None),
        (((0.5, _TONGUE), (1.0, _DARK)), None, None),
        (((1.0, _TEETH),), 1.0, None),
    ],
    ids=["both", "tongue and lower", "upper and tongue", "none", "smile"],
)
def test_teeth_are_told_from_tongue_and_dark_and_the_rig_follows(
    bands: Bands, upper: float | None, lower: float | None
) -> None:
    points = opened()
    picture = drawn(points, bands)
    seen = find_teeth(picture, points)
    assert seen.upper == (upper if upper is None else pytest.approx(upper, abs=0.09))
    assert seen.lower == (lower if lower is None else pytest.approx(lower, abs=0.09))

    loose = build_rig(points, SIZE_PX)
    placed = {part.name: part for part in place_teeth(loose, picture, points).parts}
    top, bottom = loose.face.photo[[13, 14], 1]
    gap = bottom - top

    def shift(name: str) -> float:
        return float(placed[name].shapes[PHOTO_PART][:, 1].mean())

    upper_y = loose.face.incisal_edge_y + shift(UPPER_TEETH.name)
    lower_y = loose.face.lower_edge_y + shift(LOWER_TEETH.name)
    assert upper_y < top if upper is None else abs(upper_y - top - upper * gap) < 0.09 * gap
    assert lower_y > bottom if lower is None else abs(lower_y - top - lower * gap) < 0.09 * gap


def test_real_mouths_show_what_is_seen_in_them() -> None:
    detector = FaceDetector()

    def seen(picture: Pixels) -> tuple[bool, bool]:
        canvas = crop_head(picture, detector.faces(picture)[0]).pixels
        points = detector.landmarks(canvas)
        assert points is not None
        teeth = find_teeth(canvas, points)
        return teeth.upper is not None, teeth.lower is not None

    assert seen(pixels(astronaut())) == (True, False)
    clips = shared_data("talking-video", "grid")
    for name, frame, both in (
        ("lbax4n", 48, (True, True)),
        ("pwij3p", 24, (True, True)),
        ("sbwe5n", 44, (False, True)),
        ("sbia1a", 36, (False, True)),
    ):
        with av.open(str(clips / f"{name}.mpg")) as clip:
            pictures = list(clip.decode(video=0))
        picture = np.asarray(pictures[frame].to_ndarray(format="rgb24"), np.uint8)
        assert seen(picture) == both, name
