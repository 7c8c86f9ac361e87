"""The mark on generated pictures: there in every layout, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from lipstream.errors import BadInput
from lipstream.face.motion import Motion
from lipstream.render import Layout, View, open_renderer
from lipstream.render.badge import badge_picture
from lipstream.render.color import yuv420p_to_rgb
from lipstream.render.splats import Bytes
from lipstream.wire.output import PictureSize
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar

_SIZE = PictureSize(128, 192)


@pytest.mark.parametrize("layout", Layout)
def test_every_picture_has_it_in_its_corner(layout: Layout) -> None:
    model = synthetic_avatar()
    plain = open_renderer(model, View(_SIZE), driver=SyntheticDriver())
    view = View(_SIZE, badge="AI-generated")
    marked = open_renderer(model, view, driver=SyntheticDriver()).sibling()
    motion = Motion.rest(1)
    before = plain.picture(plain.pose(motion), layout).copy()
    for _ in range(2):  # the same when it is drawn into the same buffer again
        after = marked.picture(marked.pose(motion), layout)
    assert after.shape == before.shape
    badge = badge_picture("AI-generated", _SIZE)
    height, width = badge.shape[:2]
    assert 8 <= height < 24
    top, left = _SIZE.height_px - 2 - height, 2
    seen, unmarked = (_rgb(picture, layout) for picture in (after, before))
    corner = seen[top : top + height, left : left + width]
    assert np.abs(corner.astype(int) - badge).mean() < 12  # chroma is halved in video
    seen[top : top + height, left : left + width] = unmarked[
        top : top + height, left : left + width
    ]
    np.testing.assert_array_equal(seen, unmarked)


@pytest.mark.parametrize("side_px", [64, 512, 1080])
def test_it_fits_and_is_legible(side_px: int) -> None:
    badge = badge_picture("This face was generated", PictureSize.of(side_px))
    assert badge.shape[0] % 2 == badge.shape[1] % 2 == 0
    assert badge.shape[1] <= side_px
    assert badge.max() > 200 > 60 > badge.min()


@pytest.mark.parametrize("text", [" ", "x" * 41, "a\nb"])
def test_texts_that_are_none(text: str) -> None:
    with pytest.raises(BadInput):
        badge_picture(text, _SIZE)


def _rgb(picture: Bytes, layout: Layout) -> Bytes:
    if layout in (Layout.RGB, Layout.RGBA):
        return picture[..., :3].copy()
    planes = picture[: _SIZE.height_px * 3 // 2]
    rgb: Bytes = (yuv420p_to_rgb(np.ascontiguousarray(planes)) * 255).astype(np.uint8)
    return rgb
