from __future__ import annotations

import pytest

from lipstream.face.arkit import INDEX
from lipstream.face.visemes import VISEMES, blendshape_vector


def test_poses_use_arkit_names_within_range() -> None:
    for weights in VISEMES.values():
        vector = blendshape_vector(weights)
        assert vector.shape == (52,)
        assert vector.min() >= 0
        assert vector.max() <= 1
    assert blendshape_vector({"jawOpen": 0.5})[INDEX["jawOpen"]] == 0.5


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        blendshape_vector({"jawWiden": 1})
