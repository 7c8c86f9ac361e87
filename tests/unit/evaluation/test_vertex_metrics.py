"""LVE, FDD and MOD on faces of a few vertices, whose figures can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lipstream.errors import BadInput
from lipstream.evaluation.lip_vertex_error import lip_vertex_errors
from lipstream.evaluation.mouth_opening import mouth_openings, opening_differences
from lipstream.evaluation.upper_face_dynamics import upper_face_dynamics
from lipstream.evaluation.vertex_score import VertexTally
from lipstream.evaluation.vertex_set import OPENING_PAIRS, VertexSet
from lipstream.face.motion import Floats

_LIPS = np.array([0, 1])
_UPPER_FACE = np.array([2, 3])
_SET = VertexSet("mm", _LIPS, _UPPER_FACE, np.array([0]), np.array([1]))
_FACES = arrays(np.float32, (6, 4, 3), elements=st.floats(-20, 20, width=32, allow_subnormal=False))


def _still(frames: int) -> Floats:
    return np.zeros((frames, 4, 3), np.float32)


def test_lve_is_the_squared_distance_of_the_worst_lip_vertex() -> None:
    recorded, predicted = _still(2), _still(2)
    predicted[0, 0] = (3, 4, 0)
    predicted[0, 1] = (1, 0, 0)
    predicted[1, 1] = (0, 0, 2)
    predicted[1, 3] = (90, 0, 0)  # no lip
    assert lip_vertex_errors(predicted, recorded, _LIPS).tolist() == [25, 4]


def test_upper_face_dynamics_is_the_spread_of_squared_displacement() -> None:
    vertices, rest = _still(4), np.full((4, 3), 5, np.float32)
    vertices += rest
    vertices[::2, 2, 1] += 3  # 9, 0, 9, 0: spread 4.5
    vertices[:, 3, 0] += 2  # 4 throughout: no spread
    vertices[1, 0, 0] += 50  # a lip
    assert upper_face_dynamics(vertices, rest, _UPPER_FACE) == pytest.approx(4.5 / 2)


def test_mod_is_the_mean_over_the_pairs() -> None:
    pairs = VertexSet("mm", upper_lip=np.array([0, 2]), lower_lip=np.array([1, 3]))
    recorded, predicted = _still(1), _still(1)
    recorded[0, 1] = (0, 3, 4)  # 5 apart; the other pair is shut
    predicted[0, 1] = (0, 4, 0)
    predicted[0, 3] = (2, 0, 0)
    shown, wanted = mouth_openings(predicted, pairs), mouth_openings(recorded, pairs)
    assert wanted.tolist() == [[5, 0]]
    assert shown.tolist() == [[4, 2]]
    assert opening_differences(shown, wanted).tolist() == [1.5]


def test_frames_are_pooled_and_fdd_is_signed_by_clip() -> None:
    tally = VertexTally(_SET)
    lively = _still(2)
    lively[0, 2] = (2, 0, 0)  # 4, 0: spread 2, half of it over two vertices
    off = _still(6)
    off[:, 0] = (1, 0, 0)
    tally.add(_still(2), lively, _still(1)[0], 25.0)  # too still
    tally.add(off, _still(6), _still(1)[0], 25.0)
    tally.add(lively, _still(2), _still(1)[0], 25.0)  # too lively
    score = tally.score()
    assert score.clips == 3
    assert score.duration_s == pytest.approx(10 / 25)
    assert score.lve == pytest.approx(6 / 10)
    assert score.mod == pytest.approx(6 / 10)
    assert score.fdd == pytest.approx(0)
    assert score.fdd_absolute == pytest.approx(2 / 3)


def test_a_face_without_brows_has_no_fdd() -> None:
    tally = VertexTally(_SET)
    tally.add(_still(2), _still(2), _still(1)[0], 25.0, upper_face=False)
    assert tally.score().fdd is tally.score().fdd_absolute is None


def test_keys_carry_the_unit() -> None:
    for unit, suffix in (("mm", "mm"), ("m", "m"), ("", "corpus_units")):
        tally = VertexTally(VertexSet(unit, _LIPS))
        tally.add(_still(2), _still(2), _still(1)[0], 25.0)
        document = tally.score().as_json()
        assert document[f"lve_{suffix}2"] == 0
        assert document[f"mod_{suffix}"] is None
        assert document[f"fdd_{suffix}2"] is None


def test_what_cannot_be_compared_is_refused() -> None:
    tally = VertexTally(_SET)
    with pytest.raises(BadInput, match="cannot be compared"):
        tally.add(_still(2), _still(3), _still(1)[0], 25.0)
    with pytest.raises(BadInput, match="no recorded motion"):
        tally.score()
    with pytest.raises(ValueError, match="no known pairs"):
        mouth_openings(_still(1), VertexSet("m"))


def test_pairs_are_known_for_the_published_meshes() -> None:
    for count, (upper, lower) in OPENING_PAIRS.items():
        assert len(upper) == len(lower) == 5
        assert max(*upper, *lower) < count
    assert VertexSet.of_mesh(7, "m").upper_lip is None


@given(_FACES, st.floats(0.25, 8, width=32))
def test_errors_scale_with_the_unit(face: Floats, scale: float) -> None:
    scaled = (scale * face).astype(np.float32)
    still = _still(len(face))
    np.testing.assert_allclose(
        lip_vertex_errors(scaled, still, _LIPS),
        scale**2 * lip_vertex_errors(face, still, _LIPS),
        rtol=1e-4,
        atol=1e-4,
    )
    np.testing.assert_allclose(
        mouth_openings(scaled, _SET), scale * mouth_openings(face, _SET), rtol=1e-4, atol=1e-4
    )


@given(_FACES, _FACES)
def test_errors_are_symmetric_and_vanish_on_equal_faces(first: Floats, second: Floats) -> None:
    errors = lip_vertex_errors(first, second, _LIPS)
    np.testing.assert_array_equal(errors, lip_vertex_errors(second, first, _LIPS))
    assert (errors >= 0).all()
    assert not lip_vertex_errors(first, first, _LIPS).any()
    forth, back = VertexTally(_SET), VertexTally(_SET)
    forth.add(first, second, _still(1)[0], 25.0)
    back.add(second, first, _still(1)[0], 25.0)
    assert forth.score().mod == pytest.approx(back.score().mod)
    one, other = forth.score().fdd, back.score().fdd
    assert one is not None
    assert other is not None
    assert one == pytest.approx(-other)


@given(_FACES, st.permutations(range(6)))
def test_the_order_of_frames_does_not_matter(face: Floats, order: list[int]) -> None:
    """As defined, these metrics know no time; velocities are not theirs."""
    rest = _still(1)[0]
    assert upper_face_dynamics(face[order], rest, _UPPER_FACE) == pytest.approx(
        upper_face_dynamics(face, rest, _UPPER_FACE), abs=1e-9
    )
    errors = lip_vertex_errors(face, _still(6), _LIPS)
    np.testing.assert_array_equal(lip_vertex_errors(face[order], _still(6), _LIPS), errors[order])
