"""Folds of a smile, when the smile is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.avatar.filling import sample
from lipstream.avatar.fit import FitResult
from lipstream.avatar.quality.viseme_check import commanded_landmarks
from lipstream.face.drive import photo_weights
from lipstream.face.motion import Motion
from lipstream.render import Pose, SplatRenderer
from tests.unit.avatar.portraits import astronaut, hopper

FOLDS = ((203, 206, 216), (423, 426, 436))
"""Landmarks along them, downwards."""


def darkness(fit: FitResult, pose: Pose) -> float:
    """How much darker a fold is than the skin on both sides, 0..1; the deepest of both cheeks."""
    picture = SplatRenderer(fit.model, 512).rgb(pose)
    shade = cv2.GaussianBlur(picture.astype(np.float64).mean(2) / 255, (0, 0), 1.5)
    points = 512 * commanded_landmarks(fit.model, pose)
    return max(_dip(shade, points[list(fold)]) for fold in FOLDS)


def _dip(shade: NDArray[np.float64], fold: NDArray[np.float64]) -> float:
    down = fold[-1] - fold[0]
    across = np.array([down[1], -down[0]]) / np.linalg.norm(down)
    along = np.linspace(0.3, 0.9, 7)[:, None] * down + fold[0]
    reach = np.arange(-9, 10)
    profiles = sample(shade, (along[:, None] + reach[:, None] * across).reshape(-1, 2))
    profile = profiles.reshape(7, -1).mean(0)
    beside = np.minimum(np.maximum.accumulate(profile), np.maximum.accumulate(profile[::-1])[::-1])
    return float((beside - profile).max())


@pytest.fixture
def smiling(fitted: Callable[[Path], FitResult]) -> FitResult:
    return fitted(astronaut())


def test_a_smiles_folds_go_with_the_smile(smiling: FitResult) -> None:
    model = smiling.model
    rest = SplatRenderer(model, 512).pose(Motion.rest(1))
    assert darkness(smiling, Pose(photo_weights(model))) > 0.15
    assert darkness(smiling, rest) < 0.1


def test_folds_of_a_face_at_rest_are_its_own(fitted: Callable[[Path], FitResult]) -> None:
    fit = fitted(hopper())
    rest = SplatRenderer(fit.model, 512).pose(Motion.rest(1))
    own = darkness(fit, Pose(photo_weights(fit.model)))
    assert darkness(fit, rest) > 0.8 * own > 0.15
