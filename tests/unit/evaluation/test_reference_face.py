"""The face on which blendshapes become millimetres."""

from __future__ import annotations

import numpy as np
import pytest

from lipstream.evaluation.mouth_opening import mouth_openings
from lipstream.evaluation.reference_face import reference_face
from lipstream.evaluation.vertex_set import REFERENCE_SET
from lipstream.face.arkit import BLENDSHAPE_COUNT, INDEX
from lipstream.face.landmarks import CHIN, EYES
from lipstream.face.motion import Floats


def _weights(**weights: float) -> Floats:  # [1, 52]
    row = np.zeros((1, BLENDSHAPE_COUNT), np.float32)
    for name, weight in weights.items():
        row[0, INDEX[name]] = weight
    return row


def _opening_mm(**weights: float) -> float:
    vertices = reference_face().vertices(_weights(**weights))
    return float(mouth_openings(vertices, REFERENCE_SET).mean())


def test_it_is_of_human_size_with_its_mouth_shut() -> None:
    neutral = reference_face().neutral
    eyes = [neutral[list(EYES[side].upper + EYES[side].lower)].mean(0) for side in EYES]
    assert np.linalg.norm(eyes[0] - eyes[1]) == pytest.approx(63, abs=0.5)
    assert _opening_mm() < 0.5


def test_an_open_jaw_opens_it_by_centimetres() -> None:
    assert 15 < _opening_mm(jawOpen=1) < 45
    assert _opening_mm(jawOpen=0.5) == pytest.approx(_opening_mm(jawOpen=1) / 2, rel=0.2)
    assert _opening_mm(jawOpen=0.5, mouthClose=0.5) < 0.35 * _opening_mm(jawOpen=0.5)
    assert _opening_mm(jawOpen=3) == pytest.approx(_opening_mm(jawOpen=1))


@pytest.mark.parametrize(
    ("name", "lips", "upper_face"),
    [("jawOpen", True, False), ("mouthPucker", True, False), ("eyeBlinkLeft", False, True),
     ("browInnerUp", False, True)],
)  # fmt: skip
def test_the_sets_see_what_they_are_for(name: str, lips: bool, upper_face: bool) -> None:
    face = reference_face()
    moved = np.linalg.norm(face.vertices(_weights(**{name: 1}))[0] - face.neutral, axis=1)
    assert REFERENCE_SET.lips is not None
    assert REFERENCE_SET.upper_face is not None
    assert bool(moved[REFERENCE_SET.lips].max() > 1) is lips
    assert bool(moved[REFERENCE_SET.upper_face].max() > 1) is upper_face


def test_the_sets_do_not_overlap_and_leave_the_chin_out() -> None:
    assert REFERENCE_SET.lips is not None
    assert REFERENCE_SET.upper_face is not None
    assert not np.intersect1d(REFERENCE_SET.lips, REFERENCE_SET.upper_face).size
    assert CHIN not in REFERENCE_SET.lips
    assert len(REFERENCE_SET.lips) == 4 * 20
