from __future__ import annotations

from collections import Counter

import numpy as np

from lipstream.avatar.face_solutions import face_solution
from lipstream.face.landmarks import (
    BROWS,
    EYES,
    FACE_OVAL,
    LOWER_LIP,
    MESH_COUNT,
    SYMMETRIC_PAIRS,
    UPPER_LIP,
)
from lipstream.face.subdivision import subdivide
from lipstream.face.topology import boundary_loop, face_topology
from tests.unit.face.person import landmarks


def test_table_is_mediapipes_tesselation() -> None:
    connections = face_solution("face_mesh_connections")
    triangles = face_topology().cage_triangles
    edges = {tuple(sorted((int(t[k]), int(t[(k + 1) % 3])))) for t in triangles for k in range(3)}
    assert edges == {tuple(sorted(edge)) for edge in connections.FACEMESH_TESSELATION}


def test_triangles_face_the_camera_and_agree_with_their_neighbours() -> None:
    triangles = face_topology().cage_triangles
    points = landmarks()
    a, b, c = (points[triangles[:, k]] for k in range(3))
    assert (np.cross(b - a, c - a)[:, 2] < 0).mean() > 0.97
    directed = Counter((int(t[k]), int(t[(k + 1) % 3])) for t in triangles for k in range(3))
    assert max(directed.values()) == 1, "an edge is passed twice in the same direction"


def test_fine_mesh_passes_through_the_landmarks() -> None:
    topology = face_topology()
    assert topology.triangles.shape == (852 * 16, 3)
    np.testing.assert_array_equal(topology.weights[:MESH_COUNT], np.eye(MESH_COUNT))
    np.testing.assert_allclose(topology.weights.sum(1), 1, atol=1e-9)


def test_subdivision_keeps_a_plane_and_its_corners() -> None:
    square = np.array([[0, 1, 2], [1, 3, 2]])
    places = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    weights, finer = subdivide(square, 4, 2, corners=(0, 1, 2, 3))
    refined = weights @ places
    assert len(finer) == 2 * 16
    np.testing.assert_allclose(refined[:, 2], 0, atol=1e-12)
    np.testing.assert_allclose(refined[:4], places, atol=1e-12)
    a, b, c = (refined[finer[:, k]] for k in range(3))
    assert 0.5 * np.cross(b - a, c - a)[:, 2].sum() == np.float64(1.0)


def test_boundary_loop_is_the_face_oval() -> None:
    loop = boundary_loop(face_topology().cage_triangles, FACE_OVAL[0])
    assert set(loop.tolist()) == set(FACE_OVAL)


def test_landmark_rows_run_from_the_persons_right_to_left() -> None:
    """Left to right in a picture; lids and lips above what is below them."""
    x, y = landmarks()[:, 0], landmarks()[:, 1]
    for ring in (*UPPER_LIP, *LOWER_LIP):
        assert x[ring[0]] < x[ring[5]] < x[ring[10]]
    for side, eye in EYES.items():
        assert len(set(map(len, (eye.upper, eye.lower, eye.upper_fold, eye.lower_fold)))) == 1
        assert y[eye.upper[4]] < y[eye.lower[4]]
        assert (x[eye.upper[0]] > x[168]) == (side == "Left")
        assert y[BROWS[side].upper[2]] < y[eye.upper[4]]
    assert all(x[right] < x[left] for right, left in SYMMETRIC_PAIRS)
