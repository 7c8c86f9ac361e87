from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lipstream.avatar.video.backdrop import Backdrop
from lipstream.face.motion import Floats
from lipstream.render import Pose
from lipstream.render.frame import Frame
from lipstream.render.scene import Scene
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar

SIZE_PX = 128


AVATAR = synthetic_avatar(splats=500)
REST = Pose(np.zeros(52, np.float32))


def smooth(seed: int, size: int = SIZE_PX) -> Floats:  # [S, S, 3] 0..1
    noise = np.random.default_rng(seed).random((8, 8, 3), np.float32)
    return np.clip(cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC), 0, 1)


def turned(yaw: float) -> Pose:
    return replace(REST, rotation=np.array([0.1, yaw, 0], np.float32))


def test_it_is_what_the_renderer_draws() -> None:
    scene = Scene.of(AVATAR, SIZE_PX)
    pose = turned(0.3)
    drawn = Frame(scene, SyntheticDriver()).plate(pose, yuv=False).rgb
    assert np.abs(drawn.astype(int) - scene.plate.rgb).max() > 20
    ours = Backdrop(scene, pose).draw(scene.plate.rgb.astype(np.float32) / 255)
    np.testing.assert_allclose(255 * ours, drawn, atol=1.0)


def test_gathering_is_the_transpose_of_drawing() -> None:
    scene = Scene.of(AVATAR, SIZE_PX)
    behind = Backdrop(scene, turned(-0.3))
    change, seen = smooth(5), smooth(6)
    plate = smooth(7)
    forward = behind.draw(plate + change) - behind.draw(plate)
    there, back = np.vdot(forward, seen), np.vdot(change, behind.gather(seen))
    assert back == pytest.approx(there, rel=0.02)
    weight = behind.gather(seen[..., 0])
    np.testing.assert_allclose(weight, behind.gather(seen)[..., 0], atol=1e-6)


@pytest.mark.parametrize("known", [True, False])
def test_at_rest_the_plate_is_what_is_seen(known: bool) -> None:
    avatar = AVATAR if known else replace(AVATAR, torso=None)
    behind = Backdrop(Scene.of(avatar, SIZE_PX), REST)
    plate = smooth(8)
    np.testing.assert_allclose(behind.draw(plate), plate, atol=1e-6)
    np.testing.assert_allclose(behind.gather(plate), plate, atol=1e-6)
