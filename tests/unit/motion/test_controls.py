"""Articulatory controls to ARKit shapes and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lipstream.face.arkit import BLENDSHAPE_COUNT
from lipstream.motion.controls import CONTROL_COUNT, Control, to_blendshapes, to_controls

_WEIGHTS = st.lists(st.floats(0, 1, width=32), min_size=CONTROL_COUNT, max_size=CONTROL_COUNT)


@given(_WEIGHTS)
@settings(max_examples=200, deadline=None)
def test_a_mouth_that_can_be_seen_is_read_as_it_was_made(weights: list[float]) -> None:
    controls = np.array(weights, np.float32)
    # Where the lips are shut, or tucked, what they hide cannot be read.
    controls[[Control.CLOSE, Control.TUCK]] *= 0.7
    controls[Control.JAW] = max(controls[Control.JAW], 0.05)
    read = to_controls(to_blendshapes(controls))
    np.testing.assert_allclose(read, controls, atol=2e-3)


def test_any_weights_give_controls_within_bounds() -> None:
    weights = np.random.default_rng(0).normal(0.3, 1, (200, BLENDSHAPE_COUNT)).astype(np.float32)
    controls = to_controls(weights)
    assert controls.shape == (200, CONTROL_COUNT)
    assert np.isfinite(controls).all()
    assert ((controls >= 0) & (controls <= 1)).all()
    assert not to_controls(np.zeros((3, BLENDSHAPE_COUNT), np.float32)).any()
