"""Glasses are found by their bridge, and nothing on their frame moves with brows and lids."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.avatar.canvas import crop_head
from lipstream.avatar.detector import FaceDetector
from lipstream.avatar.glasses import find_glasses, hold_glasses
from lipstream.face.rig import build_rig
from tests.shared_data import shared_data
from tests.unit.avatar.portraits import hopper, pixels


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def close_up(
    detector: FaceDetector, picture: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    canvas = crop_head(picture, detector.faces(picture)[0]).pixels
    landmarks = detector.landmarks(canvas)
    assert landmarks is not None
    return canvas, landmarks


def test_only_faces_with_glasses_have_them(detector: FaceDetector) -> None:
    folder = shared_data("portraits", "grid")
    found = {
        path.stem
        for path in folder.glob("*.png")
        if find_glasses(*close_up(detector, pixels(path))).any()
    }
    assert found == {"lbax4n_first"}


def test_the_frame_stays_while_brows_and_lids_move(detector: FaceDetector) -> None:
    canvas, landmarks = close_up(detector, pixels(hopper()))
    loose = build_rig(landmarks, 512)
    held = hold_glasses(loose, canvas, landmarks)
    frame = find_glasses(canvas, landmarks)
    assert frame.any()
    place = np.clip(loose.frame.project(loose.skin.vertices, 512).astype(int), 0, 511)
    on_frame = frame[place[:, 1], place[:, 0]]
    for name in ("browInnerUp", "browOuterUpLeft", "browDownRight"):
        before, after = (np.linalg.norm(rig.skin.shapes[name], axis=1) for rig in (loose, held))
        assert after[on_frame].mean() < 0.25 * before[on_frame].mean()
    lid = 386  # the middle of the left upper lid's edge
    assert np.linalg.norm(held.skin.shapes["eyeBlinkLeft"][lid]) > 3
