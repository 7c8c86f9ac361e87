from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from lipstream.errors import BadInput
from lipstream.face import bundle
from lipstream.face.bundle import Source
from lipstream.face.motion import Floats, Motion
from lipstream.render import (
    FilmOptions,
    Layout,
    Pose,
    RendererKind,
    SplatRenderer,
    View,
    open_renderer,
    register_renderer,
    render_video,
)
from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.render.live import LiveRender
from lipstream.render.splats import Bytes
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import open_store
from lipstream.v1 import common_pb2, render_pb2
from lipstream.wire.output import PictureSize
from lipstream.wire.tensors import pack_motion
from tests.unit.face.tiny_model import tiny_model
from tests.unit.render.synthetic import synthetic_avatar

SIZE_PX = 64


@dataclasses.dataclass(frozen=True)
class Flat:
    """An avatar that is one grey."""

    luma: int
    renderer: str = "flat"


@dataclasses.dataclass
class FlatRenderer:
    """Brighter the wider the mouth is open."""

    avatar: Flat
    size: PictureSize

    def sibling(self) -> FlatRenderer:
        return self

    def pose(self, motion: Motion, frame: int = 0) -> Pose:
        return Pose(motion.blendshapes[frame].max(keepdims=True))

    def picture(
        self, pose: Pose, layout: Layout, out: Bytes | None = None, behind: Bytes | None = None
    ) -> Bytes:
        picture = np.full(layout.shape(self.size), 128, np.uint8)
        picture[: self.size.height_px] = self._luma(pose.shape_weights)
        return picture

    def yuva420p(self, pose: Pose, *, straight: bool = True) -> Bytes:
        return self.picture(pose, Layout.YUVA420P)

    def _luma(self, weights: Floats) -> int:
        return self.avatar.luma + round(50 * float(weights[0]))


@pytest.fixture
def flat() -> None:
    register_renderer(
        "flat",
        RendererKind(
            read=lambda path: Flat(int(bundle.read_manifest(path).quality["luma"])),
            open=lambda avatar, view, driver: FlatRenderer(avatar, PictureSize.of(view.size_px)),
        ),
    )


def shelf_with(folder: Path, renderer: str | None) -> AvatarShelf:
    """A library of one avatar, "grace", whose manifest names that renderer, or none."""
    model = (
        tiny_model() if renderer is None else dataclasses.replace(tiny_model(), renderer=renderer)
    )
    made = bundle.new_bundle(
        "grace", model, np.zeros((8, 8, 3), np.uint8), Source("photo", "", 8, 8),
        quality={"luma": 90.0},
    )  # fmt: skip
    manifest = bundle.save(made, folder / "grace.zip")
    library = AvatarLibrary(open_store(str(folder / "objects")))
    library.add("grace", folder / "grace.zip", manifest.to_json(), b"")
    return AvatarShelf(library)


def test_splats_are_drawn_by_the_splat_renderer() -> None:
    assert isinstance(open_renderer(synthetic_avatar(splats=10), View(SIZE_PX)), SplatRenderer)


@pytest.mark.usefixtures("flat")
def test_films_and_live_streams_take_another_renderer_from_the_bundle(tmp_path: Path) -> None:
    shelf = shelf_with(tmp_path, "flat")
    motion = Motion.rest(4)
    motion.blendshapes[2:] = 1.0
    avatar = shelf.model("grace")
    assert avatar == Flat(90)
    film = tmp_path / "film.mp4"
    assert render_video(avatar, [motion], None, film, options=FilmOptions(SIZE_PX)).frames == 4

    header = common_pb2.LiveHeader(session_id="s", epoch=1)
    config = render_pb2.RenderConfig(
        avatar_id="grace", size_px=SIZE_PX, codec=render_pb2.VIDEO_CODEC_YUV420P
    )
    live = LiveRender(shelf, render_pb2.RenderRequest(header=header, config=config))
    frames = pack_motion(motion.blendshapes, motion.rotation, motion.translation, motion.gaze)
    answers = live.handle(render_pb2.RenderRequest(header=header, frames=frames))
    assert [answer.frame.data[0] for answer in answers] == [90, 90, 140, 140]


def test_an_unknown_renderer_is_refused_with_what_it_needs(tmp_path: Path) -> None:
    for refused in (
        lambda: shelf_with(tmp_path, "radiance").model("grace"),
        lambda: open_renderer(Flat(1, renderer="radiance"), View(SIZE_PX)),
    ):
        with pytest.raises(BadInput, match=r"'radiance'.*splats") as caught:
            refused()
        assert caught.value.code == "unknown_renderer"
        assert "extra" in caught.value.remedy
    with pytest.raises(BadInput, match="lipstream 0"):
        shelf_with(tmp_path, "radiance").model("grace")


def test_bundles_keep_their_renderer_and_old_ones_are_splats(tmp_path: Path) -> None:
    shelf_with(tmp_path, "radiance")
    assert bundle.load(tmp_path / "grace.zip").model.renderer == "radiance"
    document = bundle.read_manifest(tmp_path / "grace.zip").to_json()
    old = document.replace(b' "renderer": "radiance",\n', b"")
    assert old != document
    assert bundle.Manifest.from_json(old).renderer == "splats"
