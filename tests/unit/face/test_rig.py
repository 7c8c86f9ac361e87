from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.face.arkit import BLENDSHAPES
from lipstream.face.head_frame import frame_landmarks
from lipstream.face.landmarks import CHIN, EYES, LOWER_LIP, MESH_COUNT, UPPER_LIP, Ring
from lipstream.face.rig import assemble
from lipstream.face.shape_names import PHOTO_PART, PHOTO_SMILE, SHAPE_NAMES, TONGUE_TIP
from tests.unit.face.person import SIZE_PX, landmarks, rig

Points = NDArray[np.float64]


def skin_with(weights: Mapping[str, float]) -> Points:
    """The landmarks under some shapes, head frame."""
    skin = rig().skin
    moved = skin.vertices[:MESH_COUNT].copy()
    for name, weight in weights.items():
        moved += weight * skin.shapes[name][:MESH_COUNT]
    return moved


def both(name: str, weight: float = 1.0) -> dict[str, float]:
    return {name + "Left": weight, name + "Right": weight}


def gap_mm(points: Points) -> float:
    return float(points[14, 1] - points[13, 1])


def opening_mm(points: Points, side: str) -> float:
    eye = EYES[side]
    return float((points[list(eye.lower), 1] - points[list(eye.upper), 1])[2:7].mean())


def test_head_frame_axes_and_scale() -> None:
    frame, points = frame_landmarks(landmarks(), SIZE_PX)
    np.testing.assert_allclose(frame.rotation @ frame.rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(frame.rotation) == pytest.approx(1)
    eyes = [points[list(EYES[s].upper + EYES[s].lower)].mean(0) for s in ("Left", "Right")]
    assert np.linalg.norm(eyes[0] - eyes[1]) == pytest.approx(63)
    assert eyes[0][0] > eyes[1][0], "x points to the person's left"
    assert points[CHIN, 1] > points[10, 1], "y points down"
    assert points[4, 2] < points[234, 2], "z points away from the camera"


def test_projection_gives_the_landmarks_back() -> None:
    frame, points = frame_landmarks(landmarks(), SIZE_PX)
    np.testing.assert_allclose(frame.project(points, SIZE_PX), landmarks()[:, :2], atol=1e-6)
    depth = frame.to_camera(points)[:, 2]
    np.testing.assert_allclose(
        frame.unproject(landmarks()[:, :2], depth, SIZE_PX), points, atol=1e-6
    )


def test_every_arkit_shape_moves_something() -> None:
    moved = {
        name
        for part in rig().parts
        for name, field in part.shapes.items()
        if np.abs(field).max() > 0.5
    }
    assert set(BLENDSHAPES) - moved == set()
    assert {name for part in rig().parts for name in part.shapes} == set(SHAPE_NAMES)


def test_photo_shapes_give_the_photo_back() -> None:
    photo = skin_with({PHOTO_SMILE: 1, PHOTO_PART: 1})
    np.testing.assert_allclose(photo, rig().face.photo[:MESH_COUNT], atol=1e-9)


def test_rest_has_closed_lips_and_a_narrower_mouth_than_the_smile() -> None:
    rest, photo = skin_with({}), rig().face.photo
    assert rig().face.lip_gap_mm > 8, "this person smiles with open lips"
    assert abs(gap_mm(rest)) < 0.3
    assert rest[308, 0] - rest[78, 0] < 0.85 * (photo[308, 0] - photo[78, 0])


def test_jaw_opens_down_and_back() -> None:
    rest, wide = skin_with({}), skin_with({"jawOpen": 1})
    assert wide[CHIN, 1] - rest[CHIN, 1] > 12
    assert 28 < gap_mm(wide) < 38, "ICT-FaceKit opens 37 mm"
    assert wide[308, 0] - wide[78, 0] > rest[308, 0] - rest[78, 0] - 3
    np.testing.assert_allclose(wide[[33, 263, 168]], rest[[33, 263, 168]], atol=0.05)


@pytest.mark.parametrize("weight", [0.3, 0.6])
def test_mouth_close_shuts_an_open_jaw(weight: float) -> None:
    shut = skin_with({"jawOpen": weight, "mouthClose": weight})
    upper, lower = (shut[list(lip[Ring.INNER]), 1] for lip in (UPPER_LIP, LOWER_LIP))
    np.testing.assert_allclose(upper, lower, atol=0.3)


def test_pucker_narrows_and_protrudes_with_lips_together() -> None:
    rest, pucker = skin_with({}), skin_with({"mouthPucker": 1})
    assert pucker[308, 0] - pucker[78, 0] < 0.7 * (rest[308, 0] - rest[78, 0])
    assert pucker[0, 2] < rest[0, 2] - 3
    assert abs(gap_mm(pucker)) < 1


def test_rounded_lips_keep_their_outline() -> None:
    """Corners close to the opening's, and red lips no thinner than at rest."""
    rest, pucker = skin_with({}), skin_with({"mouthPucker": 1})
    assert (pucker[291] - pucker[308])[0] == pytest.approx((rest[291] - rest[308])[0], abs=0.5)
    for lip in ((0, 13), (14, 17)):
        height = np.diff(rest[list(lip), 1])[0]
        assert np.diff(pucker[list(lip), 1])[0] > height


def test_skin_beside_the_corners_gathers_as_lips_round() -> None:
    """Or the shadow there makes the mouth look as wide as before."""
    rest, pucker = skin_with({}), skin_with({"mouthPucker": 1})
    assert (pucker[287] - pucker[291])[0] < (rest[287] - rest[291])[0]


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_blink_closes_its_own_eye(side: str) -> None:
    other = {"Left": "Right", "Right": "Left"}[side]
    rest, blink = skin_with({}), skin_with({"eyeBlink" + side: 1})
    assert opening_mm(blink, side) < 0.15 * opening_mm(rest, side)
    assert opening_mm(blink, other) == pytest.approx(opening_mm(rest, other), abs=0.05)


@pytest.mark.parametrize(
    ("shape", "landmark", "axis", "sign"),
    [
        ("mouthLeft", 13, 0, 1),
        ("mouthRight", 13, 0, -1),
        ("jawLeft", CHIN, 0, 1),
        ("jawRight", CHIN, 0, -1),
        ("jawForward", CHIN, 2, -1),
        ("mouthSmileLeft", 291, 1, -1),
        ("mouthSmileRight", 61, 1, -1),
        ("mouthFrownLeft", 291, 1, 1),
        ("mouthLowerDownLeft", 317, 1, 1),
        ("mouthUpperUpRight", 82, 1, -1),
        ("browInnerUp", 107, 1, -1),
        ("browDownLeft", 285, 1, 1),
        ("browOuterUpRight", 70, 1, -1),
        ("noseSneerLeft", 278, 1, -1),
        ("cheekSquintRight", 50, 1, -1),
        ("cheekPuff", 425, 2, -1),
        ("mouthRollLower", 17, 1, -1),
        ("mouthRollUpper", 0, 1, 1),
        ("mouthShrugLower", 14, 1, -1),
        ("eyeWideLeft", 386, 1, -1),
        ("eyeSquintRight", 145, 1, -1),
    ],
)
def test_shapes_move_the_right_way(shape: str, landmark: int, axis: int, sign: int) -> None:
    """Directions in the head frame: x person's left, y down, z away."""
    moved = (skin_with({shape: 1}) - skin_with({}))[landmark, axis]
    assert moved * sign > 0.3


def test_the_chin_falls_as_the_jaw_opens() -> None:
    """The hinge leads it back as well, but not instead."""
    moved = skin_with({"jawOpen": 0.3}) - skin_with({})
    assert moved[CHIN, 1] > 0.8 * gap_mm(moved)


def test_a_tucked_lip_shows_less_of_its_red() -> None:
    def red_mm(weight: float) -> float:
        mesh = skin_with({"mouthRollLower": weight})
        return float(mesh[17, 1] - mesh[14, 1])

    assert red_mm(0.6) < 0.75 * red_mm(0)


@pytest.mark.parametrize(
    ("shape", "part", "axis", "sign"),
    [
        ("eyeLookInLeft", "eye_left", 0, -1),
        ("eyeLookOutLeft", "eye_left", 0, 1),
        ("eyeLookInRight", "eye_right", 0, 1),
        ("eyeLookOutRight", "eye_right", 0, -1),
        ("eyeLookUpLeft", "eye_left", 1, -1),
        ("eyeLookDownRight", "eye_right", 1, 1),
        ("tongueOut", "tongue", 2, -1),
        ("jawOpen", "lower_teeth", 1, 1),
    ],
)
def test_inner_parts_move_the_right_way(shape: str, part: str, axis: int, sign: int) -> None:
    field = next(p for p in rig().parts if p.name == part).shapes[shape]
    assert field[:, axis].mean() * sign > 1


def test_the_tip_of_the_tongue_rises_to_the_upper_teeth() -> None:
    tongue = next(p for p in rig().parts if p.name == "tongue")
    edge_y = rig().face.incisal_edge_y
    assert tongue.vertices[:, 1].min() > edge_y + 2
    raised = tongue.vertices + tongue.shapes[TONGUE_TIP]
    speaking = raised + 0.15 * tongue.shapes["jawOpen"]
    assert edge_y - 4 < speaking[:, 1].min() < edge_y, "behind the teeth that it meets"
    root = tongue.coordinates["along"] > 0.95
    assert np.abs(tongue.shapes[TONGUE_TIP][root]).max() < 0.1
    tip = tongue.coordinates["along"] < 0.3
    assert np.ptp(raised[tip, 0]) < 0.7 * np.ptp(tongue.vertices[tip, 0])


def test_upper_teeth_and_eyes_stay_when_the_jaw_opens() -> None:
    for part in rig().parts:
        if part.name in ("upper_teeth", "eye_left", "eye_right"):
            assert "jawOpen" not in part.shapes


def test_assembled_surface_keeps_landmarks_first_and_shapes_by_vertex() -> None:
    surface, spans = assemble(rig(), rig().parts)
    np.testing.assert_allclose(surface.vertices[:MESH_COUNT], rig().face.neutral, atol=1e-4)
    assert surface.shapes.names == SHAPE_NAMES
    assert surface.shapes.offsets[-1] == len(surface.shapes.ids)
    assert next(iter(spans)) == "skin"
    dense = np.zeros((len(surface.vertices), 3))
    shape = SHAPE_NAMES.index("jawOpen")
    owner = np.repeat(np.arange(len(surface.vertices)), np.diff(surface.shapes.offsets))
    chosen = surface.shapes.ids == shape
    dense[owner[chosen]] = surface.shapes.vectors[chosen]
    for part in rig().parts:
        want = part.shapes.get("jawOpen", np.zeros_like(part.vertices))
        np.testing.assert_allclose(dense[spans[part.name].vertices], want, atol=2e-3)
