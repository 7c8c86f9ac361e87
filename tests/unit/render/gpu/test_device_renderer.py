"""The renderer that shares a device with others, on a device that every machine has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lipstream.avatar.fit import psnr_db
from lipstream.cli.app import app
from lipstream.errors import Unavailable
from lipstream.face.model import SPLATS
from lipstream.render import (
    FilmOptions,
    Layout,
    SplatRenderer,
    View,
    open_background,
    open_renderer,
    register_renderer,
    render_video,
)
from lipstream.render.gpu import BatchRenderer, DeviceRenderer, FrameQueue, draw_splats_on
from lipstream.render.registry import renderer_kind
from lipstream.render.service import build
from lipstream.runtime.compute import ComputePool
from lipstream.runtime.object_store import open_store
from lipstream.runtime.settings import Settings
from lipstream.runtime.stage_main import StageKit
from lipstream.runtime.telemetry import Telemetry
from tests.unit.render.gpu.dense import dense
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

_SIZE_PX = 64
_LEAST_DB = 40.0


@pytest.fixture
def device() -> Iterator[None]:
    """Splats are drawn by torch for the time of a test."""
    before = renderer_kind(SPLATS)
    with FrameQueue(BatchRenderer("cpu", rasterizer=dense)) as queue:
        draw_splats_on(queue)
        yield
    register_renderer(SPLATS, before)


@pytest.mark.usefixtures("device")
def test_pictures_and_films_come_from_the_device(tmp_path: Path) -> None:
    model = synthetic_avatar(splats=300)
    motion = synthetic_motion(6)
    renderer, other = open_renderer(model, View(_SIZE_PX)), SplatRenderer(model, _SIZE_PX)
    assert isinstance(renderer, DeviceRenderer)
    own = renderer.sibling()
    drawn = np.empty(Layout.YUV420P.shape(own.size), np.uint8)
    assert own.picture(own.pose(motion, 4), Layout.YUV420P, drawn) is drawn
    assert psnr_db(drawn, other.yuv420p(other.pose(motion, 4))) > _LEAST_DB
    options = FilmOptions(_SIZE_PX, threads=4)
    stats = render_video(model, [motion], None, tmp_path / "film.mp4", options=options)
    assert stats.frames == len(motion)


@pytest.mark.usefixtures("device")
def test_what_the_device_does_not_draw_comes_from_the_processor() -> None:
    model = synthetic_avatar(splats=300)
    motion = synthetic_motion(6)
    behind = np.full((_SIZE_PX, _SIZE_PX, 3), 90, np.uint8)
    for background in (None, open_background("none")):
        renderer = open_renderer(model, View(_SIZE_PX, background))
        other = SplatRenderer(model, _SIZE_PX, background=background)
        pose = renderer.pose(motion, 4)
        for layout in (Layout.RGBA, Layout.YUVA420P):
            assert np.array_equal(renderer.picture(pose, layout), other.picture(pose, layout))
        assert np.array_equal(
            renderer.picture(pose, Layout.YUV420P, behind=behind),
            other.picture(pose, Layout.YUV420P, behind=behind),
        )
        assert np.array_equal(renderer.yuva420p(pose), other.yuva420p(pose))


@pytest.mark.usefixtures("device")
def test_a_driver_of_the_callers_own_keeps_to_the_processor() -> None:
    renderer = open_renderer(synthetic_avatar(), View(_SIZE_PX), driver=SyntheticDriver())
    assert isinstance(renderer, SplatRenderer)


def test_a_stage_that_is_told_to_draw_on_a_gpu_says_if_it_cannot(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    compute = ComputePool(1)
    settings = Settings(render_device="cuda")
    kit = StageKit(settings, Telemetry("render"), open_store(str(tmp_path)), compute)
    with pytest.raises(Unavailable, match="no CUDA device") as caught:
        build(kit)
    compute.close()
    assert "LIPSTREAM_RENDER_DEVICE" in caught.value.remedy


def test_a_film_that_is_to_be_drawn_on_a_gpu_says_if_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    monkeypatch.setenv("LIPSTREAM_RENDER_DEVICE", "cuda")
    arguments = ["render", "--avatar", "nobody", "--text", "Hello.", "-o", str(tmp_path / "a.mp4")]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, Unavailable)
    assert not (tmp_path / "a.mp4").exists()
