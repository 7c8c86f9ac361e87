from __future__ import annotations

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lipstream.errors import BadInput
from lipstream.face import bundle
from lipstream.face.bundle import Source
from lipstream.face.motion import Motion
from lipstream.render import Layout, SplatRenderer, View, open_background
from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.render.scene import Scene
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import open_store
from tests.unit.render.synthetic import synthetic_avatar

VIEW = View(64)
OTHERS = [View(66 + 2 * k) for k in range(4)]


@pytest.fixture
def library(tmp_path: Path) -> AvatarLibrary:
    made = AvatarLibrary(open_store(str(tmp_path / "objects")))
    add(made, tmp_path, seed=1)
    return made


def add(library: AvatarLibrary, folder: Path, seed: int) -> None:
    model = synthetic_avatar(splats=40, seed=seed)
    made = bundle.new_bundle(
        "grace", model, np.zeros((8, 8, 3), np.uint8), Source("photo", "", 8, 8)
    )
    manifest = bundle.save(made, folder / "grace.zip")
    library.add("grace", folder / "grace.zip", manifest.to_json(), b"")


def scene_of(shelf: AvatarShelf, view: View) -> Scene:
    renderer = shelf.renderer("grace", view)
    assert isinstance(renderer, SplatRenderer)
    return renderer.scene


def test_renderers_of_one_view_share_its_scene_and_no_buffers(library: AvatarLibrary) -> None:
    shelf = AvatarShelf(library)
    one, two = shelf.renderer("grace", View(64)), shelf.renderer("grace", View(64))
    assert isinstance(one, SplatRenderer)
    assert isinstance(two, SplatRenderer)
    assert one is not two
    assert one.scene is two.scene
    motion = Motion.rest(2)
    motion.translation[1] = 60
    still = one.picture(one.pose(motion, 0), Layout.RGB)
    before = still.copy()
    assert (two.picture(two.pose(motion, 1), Layout.RGB) != before).any()
    assert (still == before).all()


def test_another_view_and_another_avatar_are_laid_out_apart(
    library: AvatarLibrary, tmp_path: Path
) -> None:
    shelf = AvatarShelf(library)
    scene = scene_of(shelf, VIEW)
    tall = scene_of(shelf, View(64, open_background("photo")))
    assert tall is not scene
    assert tall.model is scene.model
    add(library, tmp_path, seed=2)
    assert scene_of(shelf, VIEW).model is not scene.model


def test_threads_that_ask_at_once_wait_for_one_layout(
    library: AvatarLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out = []
    of = Scene.of

    def counted(*arguments: object) -> Scene:
        laid_out.append(arguments)
        return of(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Scene, "of", counted)
    shelf = AvatarShelf(library)
    ready = threading.Barrier(8)

    def ask(_: int) -> Scene:
        ready.wait()
        return scene_of(shelf, VIEW)

    with ThreadPoolExecutor(8) as pool:
        scenes = list(pool.map(ask, range(8)))
    assert len(laid_out) == 1
    assert all(scene is scenes[0] for scene in scenes)


def test_what_nobody_draws_is_freed_beyond_a_few(library: AvatarLibrary) -> None:
    shelf = AvatarShelf(library, idle_views=2)
    drawn = shelf.renderer("grace", VIEW)
    assert isinstance(drawn, SplatRenderer)
    freed = [weakref.ref(shelf.renderer("grace", view)) for view in OTHERS]
    assert all(renderer() is None for renderer in freed)
    scenes = [weakref.ref(scene_of(shelf, view).cutout) for view in OTHERS]
    # However long ago it was asked for, who comes next shares it.
    assert scene_of(shelf, VIEW) is drawn.scene
    assert [scene() is not None for scene in scenes] == [False, False, True, True]


def test_a_view_that_cannot_be_drawn_is_refused_each_time(library: AvatarLibrary) -> None:
    shelf = AvatarShelf(library)
    for _ in range(2):
        with pytest.raises(BadInput):
            shelf.renderer("grace", View(63))
    assert scene_of(shelf, VIEW) is scene_of(shelf, VIEW)
