from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from lipstream.avatar.create import create_avatar
from lipstream.avatar.video import Checkpoint, fit_video
from lipstream.errors import BadInput, Cancelled
from lipstream.face.arkit import INDEX
from lipstream.face.bundle import load
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Motion
from lipstream.render import SplatRenderer
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import open_store
from tests.portrait import AVATAR
from tests.unit.avatar.portraits import hopper, pixels
from tests.unit.avatar.video.films import film, plain, speaker

_FPS = 6
_FRAMES = 18
_MATCHING = "Matching all frames"


def acted(model: AvatarModel, path: Path) -> Path:
    """An avatar's performance, filmed."""
    motion = Motion.rest(_FRAMES, _FPS)
    beat = np.sin(np.arange(_FRAMES) / 2)
    motion.blendshapes[:, INDEX["jawOpen"]] = np.maximum(0, 0.4 * beat)
    motion.rotation[:, 1] = 0.12 * np.sin(np.arange(_FRAMES) / 4)
    renderer = SplatRenderer(model, 512)
    drawn = [renderer.rgb(renderer.pose(motion, k)).copy() for k in range(_FRAMES)]
    return film(path, drawn, fps=_FPS)


def test_a_fit_goes_on_where_it_was_stopped_and_beats_the_photo(
    tmp_path: Path, avatar_store: Path
) -> None:
    AvatarLibrary(open_store(str(avatar_store))).fetch(AVATAR, tmp_path / "bundle.zip")
    path = acted(load(tmp_path / "bundle.zip").model, tmp_path / "film.mp4")
    library = AvatarLibrary(open_store(str(tmp_path / "store")))
    steps: list[tuple[float, str]] = []

    def stopped(share: float, doing: str) -> None:
        if doing == _MATCHING and share > 0.7:
            raise Cancelled("Enough.")

    with pytest.raises(Cancelled):
        create_avatar(library, "acted", path, "Public domain.", progress=stopped)
    manifest = create_avatar(
        library,
        "acted",
        path,
        "Public domain.",
        progress=lambda share, doing: steps.append((share, doing)),
    )
    shares = [share for share, _ in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert "Following the head" not in {doing for _, doing in steps}
    assert min(share for share, doing in steps if doing == _MATCHING) > 0.6

    assert manifest.source.kind == "video"
    assert manifest.quality["frames_held_out"] in (2, 3)
    assert manifest.quality["picture_gain_db"] > 1
    assert manifest.quality["lips_mm"] < 2
    assert not list(library.workspace(manifest.source.sha256).list())
    assert library.entry("acted").manifest["source"]["kind"] == "video"


def test_nobody(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        fit_video(film(tmp_path / "film.mp4", plain(32, size=(192, 256))))
    assert caught.value.code == "no_face"
    assert caught.value.remedy


def test_two_people(tmp_path: Path) -> None:
    portrait = cv2.resize(pixels(hopper()), (256, 300), interpolation=cv2.INTER_AREA)
    two = speaker(np.asarray(portrait, np.uint8), faces=2)
    with pytest.raises(BadInput) as caught:
        fit_video(film(tmp_path / "film.mp4", [two] * 16, fps=5))
    assert caught.value.code == "several_people"
    assert caught.value.remedy


def test_a_damaged_checkpoint_counts_as_none(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    kept = Checkpoint(store)
    kept.save("step", values=np.arange(3))
    loaded = kept.load("step")
    assert loaded is not None
    assert loaded["values"].tolist() == [0, 1, 2]
    (info,) = store.list()
    store.put(info.key, store.get(info.key)[:-20])
    assert kept.load("step") is None
    kept.clear()
    assert not list(store.list())
    assert Checkpoint().load("step") is None
