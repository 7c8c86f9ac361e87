"""Emotions over speech on a face: what the words need stays readable under each of them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.face.arkit import BLENDSHAPES
from lipstream.face.face_controls import EMOTIONS
from lipstream.face.landmarks import MESH_COUNT
from tests.unit.face.person import rig
from tests.unit.motion.acting import held

_UPPER, _LOWER = [81, 82, 13, 312, 311], [178, 87, 14, 317, 402]
_CORNERS = (78, 308)


def _lips(emotion: str, sound: str) -> NDArray[np.float64]:  # [468, 3] mm
    """Where the landmarks are when this sound is said."""
    asked = {"emotion": {emotion: 1}} if emotion else {}
    weights = held(asked, sound).blendshapes[0]
    skin = rig().skin
    points = skin.vertices[:MESH_COUNT].copy()
    for name, weight in zip(BLENDSHAPES, weights, strict=True):
        if weight > 0 and name in skin.shapes:
            points += weight * skin.shapes[name][:MESH_COUNT]
    return points


def _gap_mm(emotion: str, sound: str) -> float:
    lips = _lips(emotion, sound)
    return float((lips[_LOWER, 1] - lips[_UPPER, 1]).max())


def _width_mm(emotion: str, sound: str) -> float:
    right, left = _lips(emotion, sound)[list(_CORNERS), 0]
    return float(left - right)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_words_stay_readable(emotion: str) -> None:
    assert _gap_mm(emotion, "M") < 0.1
    assert _gap_mm(emotion, "FV") == pytest.approx(_gap_mm("", "FV"), abs=1)
    assert _gap_mm(emotion, "AA") > 0.95 * _gap_mm("", "AA")
    assert _gap_mm(emotion, "AA") > 2 * _gap_mm(emotion, "UW")
    assert _width_mm(emotion, "UW") < 0.75 * _width_mm(emotion, "AA")
    assert _width_mm(emotion, "UW") == pytest.approx(_width_mm("", "UW"), abs=1.5)


def test_emotions_open_the_mouth_that_rests() -> None:
    opened = {emotion for emotion in EMOTIONS if _gap_mm(emotion, "rest") > 5}
    assert opened == {"amazement", "fear", "grief", "joy", "outofbreath", "pain"}
    assert _gap_mm("anger", "rest") < 0
