from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lipstream.avatar.bundling import bundle_fit
from lipstream.avatar.fit import FitResult, fit_photo
from lipstream.avatar.photo import Photo, load_photo
from lipstream.errors import BadInput
from lipstream.evaluation.contact_sheet import Cell, draw_sheet
from lipstream.face import bundle
from lipstream.face.drive import photo_weights
from lipstream.face.shape_names import COLOR_SHAPE_NAMES, SHAPE_NAMES
from lipstream.render import Pose, SplatRenderer, open_background
from tests.unit.avatar.portraits import hopper, pixels


@cache
def photo() -> Photo:
    return load_photo(hopper())


@pytest.fixture
def fit(fitted: Callable[[Path], FitResult]) -> FitResult:
    return fitted(hopper())


def as_png(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(stream, "PNG")
    return stream.getvalue()


def test_the_model_has_the_rigs_shapes_and_a_whole_preview(fit: FitResult) -> None:
    model = fit.model
    assert model.surface.shapes.names == SHAPE_NAMES
    assert model.color_shapes.names == COLOR_SHAPE_NAMES
    assert fit.preview.shape == (512, 512, 3)
    assert len(model.part_names) == int(model.gaussians.parts.max()) + 1
    colors = model.gaussians.colors
    assert colors.min() >= 0
    assert colors.max() <= 1


def test_the_avatar_knows_its_person_from_its_background(fit: FitResult) -> None:
    torso = fit.model.torso
    assert torso is not None
    assert (torso[:300, :60] == 0).all()  # flag and sky
    assert (torso[480:, 60:450] > 240).all()  # the coat, and the neck in it
    background = open_background("none")
    renderer = SplatRenderer(fit.model, 256, background=background)
    alpha = renderer.rgba(Pose(photo_weights(fit.model)))[..., 3]
    assert alpha[100:250, 100:160].min() > 240  # no seam between head and torso
    assert alpha[:100, :30].max() == 0


def test_a_bundle_draws_the_same_picture(fit: FitResult, tmp_path: Path) -> None:
    path = tmp_path / "grace.zip"
    consent = bundle.Consent("Public domain.", "US Navy", "1984-01-20")
    bundle.save(bundle_fit("grace", photo(), fit, consent=consent), path)
    loaded = bundle.load(path)
    assert loaded.manifest.source.sha256 == photo().sha256
    assert loaded.manifest.quality["face_psnr_db"] > 30
    assert path.stat().st_size < 8 * 2**20
    before, after = (
        SplatRenderer(model, 256).rgb(Pose(photo_weights(model))).copy()
        for model in (fit.model, loaded.model)
    )
    np.testing.assert_array_equal(before, after)


def test_a_photo_on_its_side_is_turned_upright(fit: FitResult) -> None:
    side = load_photo(as_png(np.rot90(pixels(hopper()))))
    result = fit_photo(side)
    difference = np.abs(result.preview.astype(int) - fit.preview.astype(int))
    assert difference.mean() < 6


def test_a_picture_without_a_face_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    with pytest.raises(BadInput) as caught:
        fit_photo(load_photo(as_png(noise)))
    assert caught.value.code == "no_face"


def test_a_grey_photo_that_is_cropped_to_the_face_works() -> None:
    grey = pixels(hopper()).mean(-1, keepdims=True).astype(np.uint8).repeat(3, -1)
    assert fit_photo(load_photo(as_png(grey[60:400, 110:420]))).report.face_psnr_db > 30


def test_a_contact_sheet_has_a_cell_for_each_pose(fit: FitResult) -> None:
    cells = (
        Cell("photo", as_photographed=True),
        Cell("open", {"jawOpen": 0.8}),
        Cell("turned", rotation_deg=(0, 10, 0), gaze_deg=(10, 0)),
    )
    sheet = np.asarray(draw_sheet(fit.model, cells, columns=2, cell_px=128))
    assert sheet.shape == (256, 256, 3)
    photo_cell, open_cell, turned_cell = sheet[:128, :128], sheet[:128, 128:], sheet[128:, :128]
    assert np.abs(photo_cell.astype(int) - open_cell).mean() > 1
    assert np.abs(photo_cell.astype(int) - turned_cell).mean() > 1
    assert (sheet[128:, 128:] == 0).all()
