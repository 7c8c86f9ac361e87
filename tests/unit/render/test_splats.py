"""The kernels against the float64 reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipstream.face.model import AvatarModel
from lipstream.render import Pose, SplatRenderer, reference
from lipstream.render.color import yuv420p_to_rgb
from lipstream.render.reference import Doubles
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

TINTS = np.array([0.4, 0.3], np.float32)


def _renderer(model: AvatarModel, size_px: int) -> SplatRenderer:
    return SplatRenderer(model, size_px, driver=SyntheticDriver())


def _pose(renderer: SplatRenderer, frame: int) -> Pose:
    return replace(renderer.pose(synthetic_motion(50), frame), color_weights=TINTS)


def _psnr_db(difference: Doubles) -> float:
    return float(-10 * np.log10(np.mean(difference**2) + 1e-20))


@pytest.mark.parametrize(("size_px", "frame", "opacity_min"), [(96, 7, 0.3), (150, 33, 0.9)])
def test_agrees_with_the_reference(size_px: int, frame: int, opacity_min: float) -> None:
    model = synthetic_avatar(splats=1500, opacity_min=opacity_min)
    renderer = _renderer(model, size_px)
    pose = _pose(renderer, frame)
    drawn = renderer.premultiplied(pose)
    projected = reference.project(model, pose, size_px)
    difference = drawn - reference.blend(projected, size_px)
    assert _psnr_db(difference) >= 60
    difference = drawn - reference.blend(projected, size_px, renderer._frame.drawn)
    assert np.abs(difference).max() < 9e-3


def test_huge_and_needle_shaped_splats_agree_too() -> None:
    model = synthetic_avatar(splats=150, seed=3)
    stretched = model.gaussians.axes * np.array([6.0, 0.2], np.float32)
    model = replace(model, gaussians=replace(model.gaussians, axes=stretched))
    renderer = _renderer(model, 128)
    pose = _pose(renderer, 12)
    expected = reference.blend(reference.project(model, pose, 128), 128)
    assert _psnr_db(renderer.premultiplied(pose) - expected) >= 60


def test_rgb_is_the_reference_over_the_plate() -> None:
    model = synthetic_avatar(splats=800)
    renderer = _renderer(model, 96)
    pose = _pose(renderer, 3)
    plate = renderer._frame.plate(pose, yuv=False).rgb / np.float32(255)
    expected = np.clip(reference.picture(model, pose, 96, plate), 0, 1)
    difference = renderer.rgb(pose) / 255.0 - expected
    assert _psnr_db(difference) >= 50  # rounding to 8 bits alone costs 59
    assert np.abs(difference).max() < 0.012


@pytest.mark.parametrize("size_px", [64, 130, 512])
def test_yuv420p_carries_the_same_picture(size_px: int) -> None:
    renderer = _renderer(synthetic_avatar(splats=2000), size_px)
    pose = _pose(renderer, 5)
    rgb = renderer.rgb(pose).astype(np.float64) / 255
    back = yuv420p_to_rgb(renderer.yuv420p(pose)).astype(np.float64)

    def halved(picture: Doubles) -> Doubles:  # chroma is stored at half resolution
        half = size_px // 2
        means: Doubles = picture.reshape(half, 2, half, 2, 3).mean(axis=(1, 3))
        return means

    inside = (halved(rgb) > 0.02).all(-1) & (halved(rgb) < 0.98).all(-1)
    difference = (halved(back) - halved(rgb))[inside]
    assert np.abs(difference).mean() < 0.004
    assert np.abs(difference).max() < 0.06  # clipping of saturated pixels, edges over the plate


def test_other_sizes_show_the_same_picture() -> None:
    """A picture of half the size is the large one, averaged."""
    model = synthetic_avatar(splats=4000, opacity_min=0.95)
    large, small = _renderer(model, 512), _renderer(model, 256)
    pose = _pose(large, 9)
    whole = large.premultiplied(pose)
    averaged = whole.reshape(256, 2, 256, 2, 4).mean(axis=(1, 3))
    assert _psnr_db(small.premultiplied(pose) - averaged) >= 38


def test_nothing_pops_while_the_head_turns() -> None:
    """A triangle that turns away fades: no pixel jumps between two nearly equal poses."""
    model = synthetic_avatar(splats=3000, opacity_min=0.95)
    renderer = _renderer(model, 128)
    pose = _pose(renderer, 0)

    def at(yaw: float) -> np.ndarray:  # type: ignore[type-arg]
        turned = replace(pose, rotation=np.array([0, yaw, 0], np.float32))
        return renderer.premultiplied(turned)

    jumps = [np.abs(at(yaw + 2e-4) - at(yaw)).max() for yaw in np.linspace(0.05, 0.3, 12)]
    assert max(jumps) < 0.08


def test_what_is_out_of_the_picture_or_behind_the_camera_is_left_out() -> None:
    renderer = _renderer(synthetic_avatar(splats=500), 64)
    pose = _pose(renderer, 0)
    plate = renderer.scene.plate.rgb
    for shift in ([5000, 0, 0], [0, -5000, 0], [0, 0, 2000]):
        model = replace(renderer.model, torso=None)  # its torso does not follow
        surface = replace(model.surface, head_weights=np.ones_like(model.surface.head_weights))
        away = replace(pose, translation=np.array(shift, np.float32))
        picture = _renderer(replace(model, surface=surface), 64).rgb(away)
        np.testing.assert_array_equal(picture, plate)
