"""What a viewer sees of teeth, lips and tongue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.avatar.fit import FitResult
from lipstream.avatar.layers.mouth import INNER_PARTS
from lipstream.avatar.quality.sheet import Cell, draw_cell, pose_of
from lipstream.avatar.quality.viseme_check import commanded_landmarks
from lipstream.face.landmarks import LOWER_LIP, UPPER_LIP, Ring
from lipstream.face.openings import MIDDLE
from lipstream.face.visemes import VISEMES
from lipstream.render import SplatRenderer
from tests.shared_data import shared_data
from tests.unit.avatar.portraits import astronaut, hopper

SIZE_PX = 512


@pytest.fixture(scope="module", params=[hopper, astronaut])
def fit(request: pytest.FixtureRequest, fitted: Callable[[Path], FitResult]) -> FitResult:
    portrait: Callable[[], Path] = request.param
    return fitted(portrait())


def down_the_mouth(fit: FitResult, weights: Mapping[str, float]) -> NDArray[np.float64]:  # [20, 3]
    """Colours in the middle, 0 to 1: the first half from the upper lip's edge to the lower one's,
    the second on to where the red ends."""
    renderer = SplatRenderer(fit.model, SIZE_PX)
    cell = Cell("pose", weights)
    picture = draw_cell(renderer, cell).astype(float) / 255
    points = SIZE_PX * commanded_landmarks(fit.model, pose_of(renderer, cell))
    upper, lower, border = (
        points[list(line[MIDDLE])]
        for line in (UPPER_LIP[Ring.INNER], LOWER_LIP[Ring.INNER], LOWER_LIP[Ring.BORDER])
    )
    shares = (np.arange(10) + 0.5)[:, None, None] / 10
    line = np.concatenate([upper + shares * (lower - upper), lower + shares * (border - lower)])
    x, y = np.moveaxis(line.astype(int), -1, 0)
    colors: NDArray[np.float64] = picture[y, x].mean(1)
    return colors


def test_at_f_the_upper_teeth_shade_the_lip_that_they_hold(fit: FitResult) -> None:
    brightness = down_the_mouth(fit, VISEMES["FV"]).mean(1)
    teeth, held, red = brightness[:7].max(), brightness[8:13].min(), brightness[14:].max()
    assert teeth > held + 0.25
    assert red > held + 0.12


@pytest.mark.parametrize("viseme", ["TH", "L"])
def test_at_th_and_l_the_tip_of_the_tongue_is_seen(fit: FitResult, viseme: str) -> None:
    with_tongue, without = (
        down_the_mouth(fit, VISEMES[viseme] | tongue)[3:8] for tongue in ({}, {"tongueOut": 0.0})
    )
    redder = (with_tongue[:, 0] - with_tongue[:, 2]) - (without[:, 0] - without[:, 2])
    assert redder.max() > 0.035


def test_no_inside_of_the_mouth_is_seen_below_a_lip_that_hung(
    fitted: Callable[[Path], FitResult],
) -> None:
    """The photo's lower lip hides the fold beneath it, which opens as the mouth shuts."""
    model = fitted(shared_data("portraits", "grid") / "swiz3n_first.png").model
    gaussians, tints = model.gaussians, model.color_shapes
    inner = np.isin(gaussians.parts, [model.part_names.index(name) for name in INNER_PARTS])
    colors = np.repeat(inner[:, None], 3, axis=1).astype(np.float32)
    bare = replace(tints, vectors=np.zeros_like(tints.vectors))
    marked = replace(model, gaussians=replace(gaussians, colors=colors), color_shapes=bare)
    renderer = SplatRenderer(marked, SIZE_PX)
    cell = Cell("M", VISEMES["M"])
    points = (SIZE_PX * commanded_landmarks(model, pose_of(renderer, cell))).astype(int)
    red, chin = points[[14, 17]].mean(0).astype(int), points[18]
    below = draw_cell(renderer, cell)[red[1] : chin[1] + 8, points[61, 0] : points[291, 0], 0]
    assert int((below > 60).sum()) < 12
