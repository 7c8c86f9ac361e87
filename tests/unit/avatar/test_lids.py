"""Eyes that close are covered with skin, with a line of lashes at its edge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.avatar.fit import FitResult
from lipstream.avatar.quality.sheet import Cell, pose_of
from lipstream.face.landmarks import EYES
from lipstream.face.visemes import VISEMES
from lipstream.render import SplatRenderer, reference
from tests.unit.avatar.portraits import astronaut, hopper

BLINK = Cell("blink", VISEMES["blink"])
MIDDLE = slice(2, 7)
"""Of the nine points along a lid, those away from the corners."""


@pytest.fixture(scope="module", params=[hopper, astronaut])
def fit(request: pytest.FixtureRequest, fitted: Callable[[Path], FitResult]) -> FitResult:
    portrait: Callable[[], Path] = request.param
    return fitted(portrait())


def across_lids(fit: FitResult, share: float) -> NDArray[np.float64]:  # [2, 5] grey levels
    """Brightness of closed lids, so far down from the fold to the edge."""
    renderer = SplatRenderer(fit.model, 512)
    pose = pose_of(renderer, BLINK)
    picture = renderer.rgb(pose).mean(-1)
    camera = reference.camera_vertices(fit.model, pose)
    points = (fit.model.focal * camera[:, :2] / camera[:, 2:] + 0.5) * 512
    rows = []
    for eye in EYES.values():
        fold, edge = points[list(eye.upper_fold)], points[list(eye.upper)]
        x, y = (fold + share * (edge - fold))[MIDDLE].T.astype(int)
        rows.append(picture[y, x])
    return np.array(rows)


def test_closed_lids_are_even(fit: FitResult) -> None:
    """Lashes and the shadow of an open lid, drawn down over the eye, would be streaks."""
    middle = across_lids(fit, 0.6)
    assert np.ptp(middle, axis=1).max() < 40


def test_lashes_lie_at_the_edge_of_closed_lids(fit: FitResult) -> None:
    assert (across_lids(fit, 0.6) - across_lids(fit, 1.0)).mean(1).min() > 12
