from __future__ import annotations

import numpy as np

from lipstream.face.cage import Cage
from lipstream.face.lip_field import ALONG, BULGE, LIP, LIP_POINTS, STILL, LipField


def test_handles_and_held_points_get_their_values() -> None:
    field = Cage().spread({13: (0, -2.0, 1.0), 14: (0, 3.0, 0)}, held=[152, 10, 13])
    np.testing.assert_array_equal(field[13], (0, -2.0, 1.0))
    np.testing.assert_array_equal(field[14], (0, 3.0, 0))
    np.testing.assert_array_equal(field[[152, 10]], 0)


def test_a_constant_stays_constant() -> None:
    field = Cage().spread({1: (1.5, 0, 0), 152: (1.5, 0, 0), 10: (1.5, 0, 0)}, held=[])
    np.testing.assert_allclose(field[:, 0], 1.5, atol=1e-6)


def test_lips_meet_half_way_at_the_corners() -> None:
    field = LipField(Cage()).spread(dy=LIP * (1 + 0 * ALONG))
    right, left = LIP_POINTS[0, 0, 0], LIP_POINTS[0, 0, -1]
    np.testing.assert_array_equal(field[[right, left]], 0)
    assert field[13, 1] == -1
    assert field[14, 1] == 1
    np.testing.assert_array_equal(field[sorted(STILL)], 0)


def test_bulge_is_one_in_the_middle() -> None:
    assert BULGE[0, 0, 5] == 1
    np.testing.assert_allclose(BULGE[0, 0, [0, -1]], 0, atol=1e-12)
