from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.avatar.compose import Composition, with_colors
from lipstream.avatar.create import create_avatar
from lipstream.avatar.detector import FaceDetector
from lipstream.avatar.video.alignment import align
from lipstream.avatar.video.appearance import solve_appearance
from lipstream.avatar.video.checkpoint import Checkpoint
from lipstream.avatar.video.fit import fit_video
from lipstream.avatar.video.footage import survey
from lipstream.avatar.video.shot import longest_shot
from lipstream.avatar.video.sitting import watch
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

_FPS = 2
_FRAMES = 7


@pytest.fixture
def model(avatar_store: Path, tmp_path: Path) -> AvatarModel:
    path = tmp_path / "bundle.zip"
    AvatarLibrary(open_store(str(avatar_store))).fetch(AVATAR, path)
    return load(path).model


def performance(frames: int) -> Motion:
    motion = Motion.rest(frames, _FPS)
    motion.blendshapes[:, INDEX["jawOpen"]] = np.maximum(0, 0.4 * np.sin(np.arange(frames) / 2))
    motion.rotation[:, 1] = 0.12 * np.sin(np.arange(frames) / 3)
    return motion


def filmed(model: AvatarModel, motion: Motion) -> NDArray[np.uint8]:  # [T, 512, 512, 3]
    renderer = SplatRenderer(model, 512)
    return np.array([renderer.rgb(renderer.pose(motion, k)).copy() for k in range(len(motion))])


def test_a_hat_belongs_to_its_wearer(model: AvatarModel) -> None:
    (picture,) = filmed(model, Motion.rest(1, _FPS))
    with FaceDetector() as detector:
        person = detector.person(picture)
    crown = person[40:90, 215:300]
    assert (crown > 0.5).mean() > 0.98


@pytest.mark.timeout(600)
def test_a_video_beats_the_photo(model: AvatarModel, tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", filmed(model, performance(_FRAMES)), fps=_FPS)
    library = AvatarLibrary(open_store(str(tmp_path / "store")))
    shares: list[float] = []
    manifest = create_avatar(
        library, "acted", path, "Public domain.", progress=lambda share, _: shares.append(share)
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert manifest.source.kind == "video"
    assert manifest.quality["frames_held_out"] >= 1
    assert manifest.quality["face_gain_db"] > 0
    assert manifest.quality["picture_gain_db"] > 1
    assert manifest.quality["lips_mm"] < 2
    assert not list(library.workspace(manifest.source.sha256).list())
    assert library.entry("acted").manifest["source"]["kind"] == "video"


def test_landmarks_that_were_kept_are_not_looked_for_again(tmp_path: Path) -> None:
    portrait = np.asarray(cv2.resize(pixels(hopper()), (256, 300)), np.uint8)
    footage = survey(film(tmp_path / "film.mp4", [speaker(portrait)] * 30, fps=10))
    shot = longest_shot(footage)
    kept = Checkpoint(open_store(str(tmp_path / "kept")))
    looks = 0

    class Counting(FaceDetector):
        def landmarks(self, picture: NDArray[np.uint8]) -> NDArray[np.float64] | None:
            nonlocal looks
            looks += 1
            return super().landmarks(picture)

    def stopped(share: float) -> None:
        if share > 0.8:
            raise Cancelled("Enough.")

    with Counting() as detector:
        with pytest.raises(Cancelled):
            watch(footage, shot, detector, stopped, kept)
        assert looks == 25
        resumed = watch(footage, shot, detector, lambda share: None, kept)
        assert looks == 25 + 10
        straight = watch(footage, shot, detector, lambda share: None, Checkpoint())
    np.testing.assert_array_equal(resumed.landmarks, straight.landmarks)
    np.testing.assert_array_equal(resumed.canvases, straight.canvases)
    assert resumed.neutral == straight.neutral


def test_a_solution_that_no_sweep_betters_ends_early(model: AvatarModel) -> None:
    """White is further from these colours than they may go."""
    dim = with_colors(model, 0.3 * model.gaussians.colors)
    frames = np.full((1, 512, 512, 3), 255, np.uint8)
    fixed = np.zeros(len(dim.gaussians.colors), np.float32)
    pose = SplatRenderer(dim, 512).pose(Motion.rest(1, _FPS))
    shares: list[float] = []
    solve_appearance(
        Composition(dim, fixed, photo_only=fixed), frames, [pose], shares.append, Checkpoint()
    )
    assert 1 < len(shares) < 6


def test_a_stopped_solution_goes_on_and_ends_as_if_it_had_not(
    model: AvatarModel, tmp_path: Path
) -> None:
    motion = performance(3)
    frames = filmed(model, motion)
    dim = with_colors(model, 0.8 * model.gaussians.colors)
    renderer = SplatRenderer(dim, 512)
    poses = [renderer.pose(motion, k) for k in range(3)]
    latitude = np.full(len(dim.gaussians.colors), 0.1, np.float32)
    composition = Composition(dim, latitude, photo_only=np.zeros_like(latitude))
    kept = Checkpoint(open_store(str(tmp_path / "kept")))
    shares: list[float] = []

    def solved(say: Callable[[float], None], checkpoint: Checkpoint) -> AvatarModel:
        return solve_appearance(composition, frames, poses, say, checkpoint)

    def stopped(share: float) -> None:
        if share > 0.4:
            raise Cancelled("Enough.")

    with pytest.raises(Cancelled):
        solved(stopped, kept)
    resumed = solved(shares.append, kept)
    assert min(shares) > 0.3
    straight = solved(lambda share: None, Checkpoint())
    np.testing.assert_allclose(resumed.gaussians.colors, straight.gaussians.colors, atol=1e-5)

    def error(candidate: AvatarModel) -> float:
        return float(np.abs(filmed(candidate, motion).astype(np.float64) - frames).mean())

    assert error(straight) < 0.25 * error(dim)


def test_heads_are_brought_onto_the_filmed_ones(model: AvatarModel) -> None:
    motion = performance(3)
    frames = filmed(model, motion)
    off = replace(
        motion,
        rotation=motion.rotation + np.float32(0.012),
        translation=motion.translation + np.array([1.0, -0.8, 3.0], np.float32),
    )
    found = align(model, off, frames, lambda share: None)

    def error(candidate: Motion) -> float:
        return float(np.abs(filmed(model, candidate).astype(np.float64) - frames).mean())

    assert error(found) < 0.85 * error(off)


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
