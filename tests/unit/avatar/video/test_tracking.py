"""A face whose motion is known is followed: landmarks of the rig itself stand for the film's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.video.expressions import (
    expressed_points,
    face_points,
    solve_expressions,
    solve_gaze,
)
from lipstream.avatar.video.habits import learn_habits
from lipstream.avatar.video.poses import HeadPath, solve_poses
from lipstream.face.arkit import BLENDSHAPE_COUNT, INDEX
from lipstream.face.landmarks import EYES, MESH_COUNT
from lipstream.face.personal import PersonalShapes
from lipstream.face.rig import Rig, build_rig
from tests.unit.face.person import landmarks, rig

_FRAMES = 50
_SPACING_S = 0.04


def wave(periods: float, phase: float = 0.0) -> NDArray[np.float64]:  # [T] 0..1
    return np.asarray(0.5 - 0.5 * np.cos(np.linspace(0, 2 * np.pi * periods, _FRAMES) + phase))


def spoken() -> NDArray[np.float32]:  # [T, 52]
    blendshapes = np.zeros((_FRAMES, BLENDSHAPE_COUNT), np.float32)
    blendshapes[:, INDEX["jawOpen"]] = 0.5 * wave(3)
    blendshapes[:, INDEX["mouthPucker"]] = 0.5 * wave(2, 1.0)
    blendshapes[:, INDEX["eyeBlinkLeft"]] = blendshapes[:, INDEX["eyeBlinkRight"]] = wave(1)
    return blendshapes


def filmed(person: Rig, blendshapes: NDArray[np.float32]) -> tuple[HeadPath, NDArray[np.float64]]:
    rotation = np.stack([0.10 * wave(1) - 0.05, 0.3 * wave(1, 2.0) - 0.15, 0.05 * wave(2)], 1)
    translation = np.stack([4 * wave(1), 3 * wave(2), 10 * wave(1, 1.0)], 1)
    path = HeadPath(person, rotation, translation)
    return path, path.pixels(expressed_points(person, blendshapes))


def test_the_heads_pose_is_found() -> None:
    path, seen = filmed(rig(), spoken())
    found = solve_poses(rig(), face_points(rig()), seen, _SPACING_S)
    assert np.degrees(np.abs(found.rotation - path.rotation)).max() < 0.6
    assert np.abs(found.translation - path.translation).max() < 2.0


def test_expressions_are_found_and_little_else() -> None:
    blendshapes = spoken()
    path, seen = filmed(rig(), blendshapes)
    found = solve_expressions(rig(), path, seen)
    for name in ("jawOpen", "mouthPucker", "eyeBlinkLeft"):
        assert np.abs(found[:, INDEX[name]] - blendshapes[:, INDEX[name]]).mean() < 0.08, name
    silent = blendshapes.max(0) == 0
    assert found[:, silent].mean() < 0.02
    drawn = path.pixels(expressed_points(rig(), found))
    assert np.linalg.norm(drawn - seen, axis=-1).mean() < 0.3


def test_a_persons_own_shapes_are_learned() -> None:
    strange = np.zeros((MESH_COUNT, 3))
    strange[[61, 291]] = (0, 2.0, 0)  # corners of the lips that sink as the jaw drops
    person = build_rig(landmarks(), CANVAS_PX, PersonalShapes(np.zeros_like(strange), {}))
    own = build_rig(
        landmarks(), CANVAS_PX, PersonalShapes(np.zeros_like(strange), {"jawOpen": strange})
    )
    blendshapes = spoken()
    path, seen = filmed(own, blendshapes)
    learned = learn_habits(person, path, seen, blendshapes, shapes=True)
    moved = learned.shapes["jawOpen"][[61, 291], 1]
    assert (np.abs(moved - 2.0) < 0.6).all()
    assert np.abs(learned.shapes["jawOpen"][[1, 4, 6, 10]]).max() < 0.3
    improved = build_rig(landmarks(), CANVAS_PX, learned)

    def error_px(candidate: Rig) -> float:
        drawn = path.pixels(expressed_points(candidate, blendshapes))
        return float(np.linalg.norm(drawn - seen, axis=-1)[:, [61, 291]].mean())

    assert error_px(improved) < 0.4 * error_px(person)


def test_a_look_to_the_side() -> None:
    seen = np.repeat(landmarks()[None], _FRAMES, 0)
    between = np.linalg.norm(seen[0, EYES["Left"].iris[0]] - seen[0, EYES["Right"].iris[0]])
    for eye in EYES.values():
        seen[:, eye.iris[0], 0] += 3.0 * between / 63  # 3 mm to the person's left
        seen[:, eye.iris[0], 1] -= 1.5 * between / 63
    gaze = solve_gaze(seen, landmarks(), _SPACING_S)
    np.testing.assert_allclose(gaze[:, [0, 2]], 0.25, atol=0.03)
    np.testing.assert_allclose(gaze[:, [1, 3]], 0.125, atol=0.03)
