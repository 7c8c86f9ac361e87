"""Shapes, head pose and camera against plain numpy and the conventions of motion."""

from __future__ import annotations

import numpy as np
import pytest

from lipstream.face.arkit import INDEX
from lipstream.render import geometry, reference
from lipstream.render.pose import Pose
from tests.unit.render.synthetic import synthetic_avatar

REST = np.zeros(52, np.float32)


def _camera(pose: Pose) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    surface = synthetic_avatar(splats=10).surface
    shapes = geometry.shapes_by_name(surface.shapes)
    deformed = np.empty_like(surface.vertices)
    geometry.deform(
        surface.vertices, shapes.offsets, shapes.ids, shapes.vectors, pose.shape_weights, deformed
    )
    moved = geometry.head_affine(surface, pose.rotation, pose.translation)
    out = np.empty_like(deformed)
    geometry.pose_vertices(deformed, surface.head_weights, surface.head_to_camera, moved, out)
    return deformed, out


def test_rest_is_the_vertices_themselves() -> None:
    surface = synthetic_avatar(splats=10).surface
    deformed, camera = _camera(Pose(REST))
    np.testing.assert_array_equal(deformed, surface.vertices)
    np.testing.assert_allclose(camera - surface.head_to_camera[:, 3], surface.vertices, atol=1e-3)


def test_shapes_add_up_and_follow_the_reference() -> None:
    weights = REST.copy()
    weights[[INDEX["jawOpen"], INDEX["mouthPucker"]]] = 0.7, 0.4
    pose = Pose(weights, np.array([0.1, -0.2, 0.05], np.float32), np.array([3, 5, -20], np.float32))
    _, camera = _camera(pose)
    expected = reference.camera_vertices(synthetic_avatar(splats=10), pose)
    np.testing.assert_allclose(camera, expected, atol=2e-3)


@pytest.mark.parametrize(
    ("rotation", "looks_at"),
    [
        ([0.3, 0, 0], (0, -1)),  # pitch: up, which is -y
        ([0, 0.3, 0], (1, 0)),  # yaw: the person's left, right in the picture
    ],
)
def test_positive_angles_turn_the_face_as_motion_says(
    rotation: list[float], looks_at: tuple[int, int]
) -> None:
    forward = geometry.rotation_matrix(np.array(rotation, np.float32)) @ [0, 0, -1]
    np.testing.assert_allclose(forward[:2], np.sin(0.3) * np.array(looks_at), atol=1e-6)


def test_positive_roll_tilts_the_crown_to_the_persons_left() -> None:
    crown = geometry.rotation_matrix(np.array([0, 0, 0.3], np.float32)) @ [0, -1, 0]
    assert crown[0] == pytest.approx(np.sin(0.3))


def test_translation_counts_left_up_and_towards_the_camera() -> None:
    surface = synthetic_avatar(splats=10).surface
    _, rest = _camera(Pose(REST))
    _, moved = _camera(Pose(REST, translation=np.array([1, 2, 3], np.float32)))
    crown = int(surface.vertices[:, 1].argmin())
    np.testing.assert_allclose(moved[crown] - rest[crown], [1, -2, -3], atol=1e-3)


def test_the_torso_stays_where_it_is() -> None:
    surface = synthetic_avatar(splats=10).surface
    pose = Pose(REST, np.array([0.2, 0.3, 0.1], np.float32), np.array([5, 5, 5], np.float32))
    _, rest = _camera(Pose(REST))
    _, moved = _camera(pose)
    still = surface.head_weights == 0
    assert still.any()
    np.testing.assert_array_equal(moved[still], rest[still])
