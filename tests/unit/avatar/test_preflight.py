from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.avatar.detector import FaceDetector
from lipstream.avatar.preflight import Preflight, Reason, check_faces, head_turn
from lipstream.errors import BadInput
from lipstream.face.landmarks import EYES
from tests.unit.avatar.portraits import hopper, pixels
from tests.unit.face.person import landmarks

Picture = NDArray[np.uint8]
EYE_POINTS = [index for eye in EYES.values() for index in eye.points]
MOUTH_POINTS = [61, 291, 0, 17]


@pytest.fixture(scope="module")
def detector() -> Iterator[FaceDetector]:
    with FaceDetector() as made:
        yield made


@pytest.fixture(scope="module")
def portrait() -> Picture:
    return pixels(hopper())


@pytest.fixture(scope="module")
def face(detector: FaceDetector, portrait: Picture) -> NDArray[np.float64]:
    return detector.faces(portrait)[0]


def check(detector: FaceDetector, picture: Picture) -> Preflight:
    return check_faces(picture, detector.faces(picture))


def refused(detector: FaceDetector, picture: Picture) -> str:
    with pytest.raises(BadInput) as caught:
        check(detector, picture)
    assert caught.value.remedy
    return caught.value.code


def covered(picture: Picture, face: NDArray[np.float64], points: list[int], margin: int) -> Picture:
    low = face[points, :2].min(0).astype(int) - margin
    high = face[points, :2].max(0).astype(int) + margin
    out = picture.copy()
    out[low[1] : high[1], low[0] : high[0]] = (40, 60, 90)
    return out


def test_a_good_portrait_passes_without_a_word(detector: FaceDetector, portrait: Picture) -> None:
    found = check(detector, portrait)
    assert found.warnings == ()
    assert abs(found.turn.yaw) < 5
    assert found.face_height_px > 150


@pytest.mark.parametrize("kind", ["flat", "noise"])
def test_no_face(detector: FaceDetector, kind: str) -> None:
    picture = np.full((300, 300, 3), 128, np.uint8)
    if kind == "noise":
        picture = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    assert refused(detector, picture) == Reason.NO_FACE


def test_the_largest_of_several_faces_is_taken(detector: FaceDetector, portrait: Picture) -> None:
    small = cv2.resize(portrait, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    beside = np.full((portrait.shape[0], small.shape[1], 3), 128, np.uint8)
    beside[-small.shape[0] :] = small
    found = check(detector, np.hstack([beside, portrait]))
    assert [w.reason for w in found.warnings] == [Reason.SEVERAL_FACES]
    assert found.landmarks_px[4, 0] > small.shape[1]


def test_too_small(detector: FaceDetector, portrait: Picture) -> None:
    half = cv2.resize(portrait, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    assert [w.reason for w in check(detector, np.asarray(half, np.uint8)).warnings] == [
        Reason.TOO_SMALL
    ]
    quarter = cv2.resize(portrait, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    assert refused(detector, np.asarray(quarter, np.uint8)) == Reason.TOO_SMALL


def test_a_small_face_in_a_large_picture_is_found(
    detector: FaceDetector, portrait: Picture
) -> None:
    large = np.full((2400, 2400, 3), 128, np.uint8)
    half = cv2.resize(portrait, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    large[1500 : 1500 + half.shape[0], 300 : 300 + half.shape[1]] = half
    assert check(detector, large).face_height_px == pytest.approx(140, abs=20)


def test_hidden_eyes_and_mouth(
    detector: FaceDetector, portrait: Picture, face: NDArray[np.float64]
) -> None:
    for points, margin in ((EYE_POINTS, 8), (MOUTH_POINTS, 16)):
        picture = covered(portrait, face, points, margin)
        assert check_or_code(picture, face) == Reason.EYES_OR_MOUTH_HIDDEN


def check_or_code(picture: Picture, face: NDArray[np.float64]) -> str:
    with pytest.raises(BadInput) as caught:
        check_faces(picture, [face])
    return caught.value.code


def test_a_picture_that_ends_at_the_nose(portrait: Picture, face: NDArray[np.float64]) -> None:
    picture = np.ascontiguousarray(portrait[: int(face[2, 1])])
    assert check_or_code(picture, face) == Reason.EYES_OR_MOUTH_HIDDEN


def test_blurred(portrait: Picture, face: NDArray[np.float64]) -> None:
    soft = np.asarray(cv2.GaussianBlur(portrait, (0, 0), 3), np.uint8)
    assert [w.reason for w in check_faces(soft, [face]).warnings] == [Reason.BLURRED]
    lost = np.asarray(cv2.GaussianBlur(portrait, (0, 0), 6), np.uint8)
    assert check_or_code(lost, face) == Reason.BLURRED


def test_over_exposed(portrait: Picture, face: NDArray[np.float64]) -> None:
    def lit(gain: float) -> Picture:
        return np.clip(portrait * gain, 0, 255).astype(np.uint8)

    assert [w.reason for w in check_faces(lit(2.5), [face]).warnings] == [Reason.OVER_EXPOSED]
    assert check_or_code(lit(4.5), face) == Reason.OVER_EXPOSED


def test_too_dark(portrait: Picture, face: NDArray[np.float64]) -> None:
    assert check_or_code((portrait * 0.2).astype(np.uint8), face) == Reason.TOO_DARK
    shadow = np.linspace(0.15, 1, portrait.shape[1])[None, :, None]
    reasons = [w.reason for w in check_faces((portrait * shadow).astype(np.uint8), [face]).warnings]
    assert Reason.TOO_DARK not in reasons


def turned(yaw_deg: float = 0, roll_deg: float = 0) -> NDArray[np.float64]:
    """The astronaut's landmarks, turned further to the person's left or shoulder."""
    points = landmarks()
    centre = points[:468].mean(0)
    yaw, roll = np.deg2rad([yaw_deg, roll_deg])
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_z = np.array(
        [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    )
    return np.asarray((points - centre) @ (about_z @ about_y).T + centre)


def test_head_turn_has_the_signs_of_motion() -> None:
    start = head_turn(turned())
    assert head_turn(turned(yaw_deg=15)).yaw - start.yaw == pytest.approx(15, abs=2)
    assert head_turn(turned(roll_deg=12)).roll - start.roll == pytest.approx(12, abs=1)


def test_turned_too_far() -> None:
    picture = np.random.default_rng(0).integers(0, 200, (512, 512, 3), dtype=np.uint8)
    reasons = [w.reason for w in check_faces(picture, [turned(yaw_deg=24)]).warnings]
    assert Reason.TURNED_TOO_FAR in reasons
    for points in (turned(yaw_deg=45), turned(roll_deg=40)):
        assert check_or_code(picture, points) == Reason.TURNED_TOO_FAR
