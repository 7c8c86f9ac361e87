"""Colours that are for the photo's own view, and those that a moved face shows."""

from __future__ import annotations

import numpy as np

from lipstream.avatar.compose import dense_tints, taken_back_at_rest
from lipstream.face.shape_names import COLOR_SHAPE_NAMES, LIP_REST
from tests.unit.face.tiny_model import tiny_model


def test_a_change_that_is_for_the_photo_alone_is_gone_at_rest() -> None:
    model = tiny_model()
    count = len(model.gaussians.colors)
    change = np.zeros((count, 3), np.float32)
    change[::2] = 0.25
    before = dense_tints(model.color_shapes, count)
    kept = taken_back_at_rest(model, change)
    after = dense_tints(kept.color_shapes, count)
    rest = COLOR_SHAPE_NAMES.index(LIP_REST)
    np.testing.assert_allclose(after[rest], before[rest] - change, atol=1e-6)
    others = [j for j in range(len(COLOR_SHAPE_NAMES)) if j != rest]
    np.testing.assert_allclose(after[others], before[others], atol=1 / 512)
    np.testing.assert_array_equal(kept.gaussians.colors, model.gaussians.colors)
