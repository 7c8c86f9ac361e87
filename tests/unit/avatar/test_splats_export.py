from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lipstream.avatar.exports import ExportFormat, export_avatar
from lipstream.avatar.exports.splats import pack_splats
from lipstream.avatar.fit import psnr_db
from lipstream.errors import BadInput
from lipstream.face import bundle
from lipstream.face.bundle import Consent, Source
from lipstream.face.motion import Motion
from lipstream.render import Layout, SplatRenderer, View, open_renderer
from lipstream.render.background import BlurredBackground, ColorBackground
from lipstream.render.splats import Bytes
from tests.unit.avatar.splats_file import SplatsFile
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

SIZE_PX = 256
MODEL = synthetic_avatar(splats=6000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "oval.zip"
    source = Source("photo", "", 8, 8)
    consent = Consent("I agree.", "Grace", "2024-05-01")
    preview = np.zeros((8, 8, 3), np.uint8)
    bundle.save(bundle.new_bundle("oval", MODEL, preview, source, consent=consent), path)
    return path


def test_what_is_read_by_the_specification_looks_the_same(path: Path) -> None:
    file = SplatsFile(export_avatar(path, ExportFormat.SPLATS))
    motion = synthetic_motion(20)
    ours, theirs = (
        SplatRenderer(model, SIZE_PX, driver=SyntheticDriver()) for model in (MODEL, file.model())
    )
    for frame in (0, 7, 15):
        picture = ours.rgb(ours.pose(motion, frame)).copy()
        assert psnr_db(theirs.rgb(theirs.pose(motion, frame)), picture) > 50
    assert file.header["provenance"]["consent"] == "stated in the bundle, 2024-05-01"


def test_equal_avatars_give_equal_files(path: Path) -> None:
    once, again = (export_avatar(path, ExportFormat.SPLATS) for _ in range(2))
    assert once == again


def test_backgrounds_come_with_a_person_that_is_known() -> None:
    unknown = replace(MODEL, torso=None)
    assert list(SplatsFile(pack_splats(unknown, {})).pictures) == ["photo"]
    hidden = replace(MODEL.gaussians, opacities=np.zeros_like(MODEL.gaussians.opacities))
    pictures = SplatsFile(pack_splats(replace(MODEL, gaussians=hidden), {})).pictures

    def behind(background: BlurredBackground | ColorBackground) -> Bytes:
        renderer = open_renderer(replace(MODEL, gaussians=hidden), View(SIZE_PX, background))
        return renderer.picture(renderer.pose(Motion.rest(1)), Layout.RGB)

    assert (pictures["blur"] == behind(BlurredBackground())).all()
    person, alpha = pictures["person"][..., :3], pictures["person"][..., 3:] / 255
    green = person * alpha + (1 - alpha) * (0, 255, 0)
    assert np.abs(green - behind(ColorBackground((0, 255, 0)))).max() <= 0.51


def test_it_takes_no_motion(path: Path) -> None:
    with pytest.raises(BadInput, match="without a motion"):
        export_avatar(path, ExportFormat.SPLATS, Motion.rest(1))
