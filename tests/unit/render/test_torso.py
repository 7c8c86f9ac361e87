"""The torso goes along with the head; what is behind it stays, and nothing opens between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from lipstream.face.motion import Motion
from lipstream.render import Layout, Pose, SplatRenderer, open_background
from lipstream.render.reference import Doubles
from lipstream.render.splats import Bytes
from lipstream.wire.output import PictureSize
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar

PX = 128
AVATAR = synthetic_avatar(splats=500)
REST = Pose(np.zeros(52, np.float32))
TURNED = replace(
    REST, rotation=np.array([-0.2, 0.35, 0], np.float32), translation=np.ones(3, np.float32)
)
LAYOUTS = [Layout.YUV420P, Layout.RGB]


def _renderer(background: str = "photo", size: int | PictureSize = PX) -> SplatRenderer:
    return SplatRenderer(
        AVATAR, size, background=open_background(background), driver=SyntheticDriver()
    )


def _shift(renderer: SplatRenderer, pose: Pose) -> tuple[float, float]:
    return renderer.scene.on_picture(renderer.scene.torso_shift(pose))


def _expected(renderer: SplatRenderer, pose: Pose, rest: Bytes, behind: Bytes) -> Doubles:
    """The definition, by an interpolation of others, [H, W, 3]."""
    torso = renderer.scene.torso
    assert torso is not None
    dx, dy = _shift(renderer, pose)
    y, x = np.mgrid[: rest.shape[0], : rest.shape[1]].astype(np.float64)
    came_from = y - torso.shares * dy, x - torso.shares * dx
    alpha: Doubles = renderer.scene.cutout.alpha / np.float64(255)
    kept, still = (picture.astype(np.float64) for picture in (rest, behind))

    def there(samples: Doubles) -> Doubles:
        moved: Doubles = map_coordinates(samples, came_from, order=1, mode="nearest")
        return moved

    shown = [
        there(kept[..., k] - (1 - alpha) * still[..., k]) + (1 - there(alpha)) * still[..., k]
        for k in range(3)
    ]
    result: Doubles = np.clip(np.stack(shown, axis=-1), 0, 255)
    return result


@pytest.mark.parametrize("background", ["photo", "blur", "#30a0f0"])
def test_plates_follow_their_definition(background: str) -> None:
    renderer = _renderer(background)
    cutout = renderer.scene.cutout
    behind = renderer.scene.background.behind(cutout)
    assert behind is not None
    assert max(map(abs, _shift(renderer, TURNED))) > 0.5
    rest = renderer.scene.plate.rgb
    plate = renderer._frame.plate(TURNED, yuv=False).rgb
    assert np.abs(plate - _expected(renderer, TURNED, rest, behind)).max() < 0.51
    assert (plate != rest).any()
    far = cutout.alpha[: PX // 2] == 0
    np.testing.assert_array_equal(plate[: PX // 2][far], rest[: PX // 2][far])
    np.testing.assert_array_equal(renderer._frame.plate(REST, yuv=False).rgb, rest)


@pytest.mark.parametrize("size", [PX, PictureSize(72, 128)])
def test_luma_and_chroma_go_with_the_colours(size: int | PictureSize) -> None:
    renderer = _renderer(size=size)
    planes = renderer._frame.plate(TURNED, yuv=True)
    colors = renderer._frame.plate(TURNED, yuv=False)
    again = type(colors).of(colors.rgb)
    for ours, theirs, most in (
        (planes.y, again.y, 3),
        (planes.u, again.u, 5),
        (planes.v, again.v, 5),
    ):
        assert np.abs(ours.astype(int) - theirs).max() <= most
    rest = renderer._frame.plate(REST, yuv=True)
    np.testing.assert_array_equal(rest.y, renderer.scene.plate.y)
    np.testing.assert_array_equal(rest.u, renderer.scene.plate.u)


def test_alpha_goes_along() -> None:
    renderer = _renderer("none")
    alpha = renderer._frame.plate(TURNED, yuv=True).alpha.copy()
    rest = renderer.scene.plate.alpha
    assert (alpha != rest)[:, 20:-20].sum() > 50
    np.testing.assert_array_equal(alpha, renderer._frame.plate(TURNED, yuv=False).alpha)
    np.testing.assert_array_equal(renderer._frame.plate(REST, yuv=True).alpha, rest)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_moving_background_is_followed_in_front_of_alike(layout: Layout) -> None:
    still = _renderer("#30a0f0")
    moving = _renderer()
    behind = np.full((PX, PX, 3), (0x30, 0xA0, 0xF0), np.uint8)
    before = behind.copy()
    for pose in (REST, TURNED):
        over = moving.picture(pose, layout, behind=behind).astype(int)
        assert np.abs(over - still.picture(pose, layout)).max() <= 2
    np.testing.assert_array_equal(behind, before)


def test_what_is_drawn_does_not_depend_on_what_was_drawn_before() -> None:
    renderer = _renderer()
    motion = Motion.rest(2)
    motion.rotation[1, 1] = 0.3
    first, second = (renderer.pose(motion, k) for k in (0, 1))
    pictures = [renderer.yuv420p(pose).copy() for pose in (first, second, first, second, second)]
    np.testing.assert_array_equal(pictures[0], pictures[2])
    np.testing.assert_array_equal(pictures[1], pictures[3])
    np.testing.assert_array_equal(pictures[1], pictures[4])
    assert (pictures[0] != pictures[1]).any()
