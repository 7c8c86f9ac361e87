"""A closer view: head and plate stay together, and nothing beyond the picture is shown."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lipstream.face.face_controls import Framing
from lipstream.render import Pose, SplatRenderer
from lipstream.render.framing import framed
from lipstream.render.splats import Bytes
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

_SIZE = 256


def _drawn(framing: Framing) -> Bytes:  # [S, S, 3]
    model = framed(synthetic_avatar(), framing)
    renderer = SplatRenderer(model, _SIZE, driver=SyntheticDriver())
    pose: Pose = renderer.pose(synthetic_motion(5), 4)
    return renderer.rgb(pose).copy()


def test_nothing_changes_without_a_wish() -> None:
    model = synthetic_avatar()
    assert framed(model, Framing()) is model


@pytest.mark.parametrize("framing", [Framing(1.5), Framing(2, 0.5), Framing(1.6, -0.2)])
def test_it_is_a_part_of_the_picture(framing: Framing) -> None:
    whole = Image.fromarray(_drawn(Framing()))
    middle, half = 0.5 + framing.offset / framing.zoom, 0.5 / framing.zoom
    left, top = _SIZE * (0.5 - half), _SIZE * (middle - half)
    box = (left, top, left + 2 * _SIZE * half, top + 2 * _SIZE * half)
    part = whole.resize((_SIZE, _SIZE), Image.Resampling.BICUBIC, box=box)
    shown, wanted = _drawn(framing).astype(np.float64), np.asarray(part, np.float64)
    # Splats are drawn sharper than an enlarged picture of them.
    assert np.abs(shown - wanted).mean() < 4
    assert np.abs(_drawn(Framing()) - wanted).mean() > 15


def test_a_positive_offset_moves_the_head_up() -> None:
    columns = np.arange(_SIZE)

    def height(framing: Framing) -> float:
        model = framed(synthetic_avatar(), framing)
        renderer = SplatRenderer(model, _SIZE, driver=SyntheticDriver())
        covered = 1 - renderer.premultiplied(renderer.pose(synthetic_motion(5), 4))[..., 3]
        return float((covered.sum(axis=1) * columns).sum() / covered.sum())

    assert height(Framing(1.5, 0.2)) < height(Framing(1.5)) - 0.1 * _SIZE
