"""Diversity on motion that is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipstream.errors import BadInput
from lipstream.evaluation.diversity import diversity
from lipstream.face.arkit import INDEX
from lipstream.face.motion import Motion


def _opening(scale: float) -> Motion:
    rest = Motion.rest(50, 25.0)
    shapes = rest.blendshapes.copy()
    shapes[:, INDEX["jawOpen"]] = scale * (1 + np.sin(np.arange(50)))
    return replace(rest, blendshapes=shapes)


def test_equal_takes_have_none() -> None:
    score = diversity([_opening(0.2)] * 3)
    assert score.mouth == score.aperture == 0
    assert score.agreement_r == pytest.approx(1)


def test_distance_is_that_of_the_weights() -> None:
    score = diversity([_opening(0.2), _opening(0.3)])
    assert score.mouth == pytest.approx(0.1, rel=0.05)
    assert score.aperture == pytest.approx(0.1, rel=0.05)
    assert score.agreement_r == pytest.approx(1)


def test_takes_must_compare() -> None:
    with pytest.raises(BadInput, match="two takes"):
        diversity([_opening(0.2)])
    with pytest.raises(BadInput, match="two takes"):
        diversity([_opening(0.2), _opening(0.2)[:40]])
