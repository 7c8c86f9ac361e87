"""Upright pictures: what of the avatar's canvas they show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipstream.errors import BadInput
from lipstream.face.model import AvatarModel
from lipstream.render import SplatRenderer, open_background
from lipstream.render.layout import Layout
from lipstream.render.splats import Bytes
from lipstream.wire.output import PictureSize
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

TALL = PictureSize(144, 256)


def _picture(model: AvatarModel, size: int | PictureSize, layout: Layout = Layout.RGB) -> Bytes:
    renderer = SplatRenderer(model, size, driver=SyntheticDriver())
    return renderer.picture(renderer.pose(synthetic_motion(9), 8), layout).copy()


def _shifted(model: AvatarModel, x_mm: float) -> AvatarModel:
    camera = model.surface.head_to_camera.copy()
    camera[0, 3] += x_mm
    return replace(model, surface=replace(model.surface, head_to_camera=camera))


def test_an_upright_picture_is_the_middle_of_the_square_one() -> None:
    model = synthetic_avatar(splats=3000)
    square, tall = _picture(model, 256), _picture(model, PictureSize(180, 256))
    at = SplatRenderer(model, PictureSize(180, 256)).scene.view.left_px
    assert at == pytest.approx(-38, abs=2)
    part = square[:, -at : 180 - at].astype(int)
    assert np.abs(part - tall)[:, 40:-40].max() <= 1
    assert np.abs(part - tall)[:192].max() <= 1  # at its sides, the torso stays where it is


def test_a_wide_head_is_shown_whole() -> None:
    """Smaller then, still on the lower edge, with more of the background above."""
    model = synthetic_avatar(splats=6000, opacity_min=0.9)
    none = SplatRenderer(model, TALL, background=open_background("none"), driver=SyntheticDriver())
    view = none.scene.view
    assert 144 <= view.canvas_px < 256
    assert view.top_px + view.canvas_px == 256
    alpha = none.rgba(none.pose(synthetic_motion(1)))[..., 3]
    columns = np.flatnonzero(alpha[:180].max(axis=0) > 128)
    assert 2 <= columns[0] < 12
    assert 132 < columns[-1] <= 141
    assert (alpha[: view.top_px] == 0).all()
    assert alpha[-1, 72] == 255  # the torso reaches down to the edge


@pytest.mark.parametrize("layout", list(Layout))
def test_every_layout_shows_the_same(layout: Layout) -> None:
    model = synthetic_avatar(splats=3000)
    picture = _picture(model, TALL, layout)
    assert picture.shape == layout.shape(TALL)
    rgb = _picture(model, TALL)
    if layout in (Layout.YUV420P, Layout.YUVA420P):
        luma = rgb.astype(float) @ (0.2126, 0.7152, 0.0722) * (219 / 255) + 16
        assert np.abs(picture[:256] - luma).max() < 2
        if layout is Layout.YUVA420P:
            assert (picture[384:] == 255).all()
    else:
        assert np.abs(picture[..., :3].astype(int) - rgb).max() <= 1


def test_the_face_is_in_the_middle() -> None:
    """Also where it is not in the photo's."""
    model = synthetic_avatar(splats=3000)
    aside = _shifted(model, -110)
    none = SplatRenderer(aside, TALL, background=open_background("none"), driver=SyntheticDriver())
    assert none.scene.view.left_px > 0
    alpha = none.rgba(none.pose(synthetic_motion(1)))[40:200, :, 3]
    columns = np.flatnonzero(alpha.max(axis=0) > 128)
    assert (columns[0] + columns[-1]) / 2 == pytest.approx(72, abs=5)


def test_beyond_the_canvas_the_plate_goes_on_out_of_focus() -> None:
    model = _shifted(synthetic_avatar(splats=10), -130)
    rows = np.random.default_rng(0).integers(0, 255, (256, 1, 3)).astype(np.uint8)
    striped = replace(model, plate=np.ascontiguousarray(np.broadcast_to(rows, (256, 256, 3))))
    scene = SplatRenderer(striped, TALL).scene
    plate, left = scene.cutout.photo.astype(float), scene.view.left_px
    assert left > 12
    assert np.abs(plate[:, left - 1] - plate[:, left]).mean() < 15
    assert plate[:, 0].std(axis=0).mean() < 0.5 * plate[:, left].std(axis=0).mean()
    assert plate[:, 0].mean() == pytest.approx(plate[:, left].mean(), abs=5)


@pytest.mark.parametrize("size", ["128", "128x228", "720x1280", "1080x1920", "64x128"])
def test_sizes_are_read_as_written(size: str) -> None:
    assert str(PictureSize.parse(size)) == size


@pytest.mark.parametrize(
    "size", ["", "0", "62", "127", "1082", "640x480", "128x131", "128x300", "1080x1922", "a", "1x"]
)
def test_other_sizes_are_refused(size: str) -> None:
    with pytest.raises(BadInput) as refusal:
        PictureSize.parse(size)
    assert refusal.value.code == "bad_size"
    assert refusal.value.remedy
