"""Shapes, head pose and camera against plain numpy and the conventions of motion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipstream.face.arkit import INDEX
from lipstream.face.follow import MOST_MM, torso_shift
from lipstream.render import geometry, reference
from lipstream.render.pose import Pose
from lipstream.render.scene import Scene
from tests.unit.render.synthetic import synthetic_avatar

REST = np.zeros(52, np.float32)


def _camera(pose: Pose) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    surface = synthetic_avatar(splats=10).surface
    shapes = geometry.shapes_by_name(surface.shapes)
    deformed = surface.vertices.copy()
    geometry.deform(shapes.offsets, shapes.ids, shapes.vectors, pose.shape_weights, deformed)
    still = geometry.torso_affine(surface, torso_shift(pose.rotation, pose.translation))
    moved = geometry.head_affine(surface, pose.rotation, pose.translation)
    out = np.empty_like(deformed)
    geometry.pose_vertices(deformed, surface.head_weights, still, moved, out)
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


def test_the_torso_goes_along_with_the_head_a_little() -> None:
    surface = synthetic_avatar(splats=10).surface
    pose = Pose(REST, np.array([0.2, 0.3, 0.1], np.float32), np.array([5, 5, 5], np.float32))
    _, rest = _camera(Pose(REST))
    _, moved = _camera(pose)
    still = surface.head_weights == 0
    assert still.any()
    left, up = torso_shift(pose.rotation, pose.translation)
    expected = rest[still] + np.array([left, -up, 0], np.float32)
    np.testing.assert_allclose(moved[still], expected, atol=1e-3)
    assert 2 < left < MOST_MM
    assert 1 < up < MOST_MM


@pytest.mark.parametrize(
    ("rotation", "translation", "along"),
    [
        ((0, 0, 0), (0, 0, 0), (0, 0)),
        ((0, 0.3, 0), (0, 0, 0), (1, 0)),
        ((0, -0.3, 0), (0, 0, 0), (-1, 0)),
        ((0.3, 0, 0), (0, 0, 0), (0, 1)),
        ((0, 0, 0.3), (0, 0, 0), (1, 0)),
        ((0, 0, 0), (-90, 90, 90), (-1, 1)),
    ],
)
def test_the_torso_goes_the_heads_way_and_never_far(
    rotation: tuple[float, ...], translation: tuple[float, ...], along: tuple[int, int]
) -> None:
    shift = torso_shift(np.array(rotation, np.float32), np.array(translation, np.float32))
    np.testing.assert_array_equal(np.sign(shift), along)
    assert (np.abs(shift) <= MOST_MM).all()


def test_a_torso_that_is_not_known_stays_where_it_is() -> None:
    model = replace(synthetic_avatar(splats=10), torso=None)
    pose = Pose(REST, np.array([0.2, 0.3, 0.1], np.float32))
    still = model.surface.head_weights == 0
    camera = reference.camera_vertices(model, pose)
    np.testing.assert_array_equal(
        camera[still], reference.camera_vertices(model, Pose(REST))[still]
    )
    np.testing.assert_array_equal(Scene.of(model, 64).torso_shift(pose), 0)
