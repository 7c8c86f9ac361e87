"""Avatars that are bad on purpose are refused; those of real people are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.avatar.detector import FaceDetector
from lipstream.avatar.fit import FitResult, fit_photo
from lipstream.avatar.photo import load_photo
from lipstream.avatar.preflight import Finding
from lipstream.avatar.quality import (
    PREVIEW_CELLS,
    FitReport,
    MouthCheck,
    PoorAvatar,
    VisemeCheck,
    assess,
    check_gate,
    photo_warnings,
    viseme_warnings,
)
from lipstream.avatar.quality.sheet import pose_of
from lipstream.avatar.quality.viseme_check import BLINK, MOUTHS, commanded_landmarks
from lipstream.face.model import AvatarModel
from lipstream.render import SplatRenderer
from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import open_store
from tests.portrait import AVATAR, hopper_photo
from tests.shared_data import shared_data

Landmarks = NDArray[np.float64]
SHEET_SHAPE = (256 * -(-len(PREVIEW_CELLS) // 4), 4 * 256, 3)


@pytest.fixture(scope="module")
def renderer(avatar_store: Path) -> SplatRenderer:
    shelf = AvatarShelf(AvatarLibrary(open_store(str(avatar_store))))
    model = shelf.model(AVATAR)
    assert isinstance(model, AvatarModel)
    return SplatRenderer(model, 256)


class Stub:
    """Sees the given landmarks, picture after picture."""

    def __init__(self, landmarks: list[Landmarks | None]) -> None:
        self._landmarks = iter(landmarks)

    def refined(self, picture: NDArray[np.uint8], copies: int) -> Landmarks | None:
        return next(self._landmarks)


def commanded(renderer: SplatRenderer) -> dict[str, Landmarks]:
    cells = {cell.label: cell for cell in PREVIEW_CELLS}
    side_px, model = renderer.size.width_px, renderer.model
    return {
        name: side_px * commanded_landmarks(model, pose_of(renderer, cells[name]))
        for name in (*MOUTHS, BLINK)
    }


def test_a_face_that_does_as_told_has_no_errors(renderer: SplatRenderer) -> None:
    seen = assess(renderer, Stub([*commanded(renderer).values()]))
    check = seen.visemes
    assert check.worst_mm == pytest.approx(0, abs=1e-9)
    assert check.mouths["AA"].gap_commanded_mm > 10
    assert check.mouths["M"].gap_commanded_mm < 1
    assert check.eye_open_mm is not None
    assert check.eye_shut_mm is not None
    assert check.eye_shut_mm < check.eye_open_mm / 2
    assert seen.rest.shape == (256, 256, 3)
    assert seen.sheet.shape == SHEET_SHAPE


def test_what_is_seen_elsewhere_counts_in_millimetres(renderer: SplatRenderer) -> None:
    moved = commanded(renderer)
    eyes = moved["rest"][[33, 133, 263, 362]]
    mm = (eyes[2:].mean(0)[0] - eyes[:2].mean(0)[0]) / 63
    moved["rest"] = moved["rest"] + (0, 5 * mm)
    check = assess(renderer, Stub([*moved.values()])).visemes
    assert check.mouths["rest"].lips_offset_mm == pytest.approx(5, rel=0.02)
    assert check.mouths["rest"].error_mm == pytest.approx(0, abs=1e-9)
    assert check.mouths["M"].lips_offset_mm == pytest.approx(0, abs=1e-9)


def test_poses_without_a_face_are_named_and_have_no_figures(renderer: SplatRenderer) -> None:
    seen: dict[str, Landmarks | None] = {**commanded(renderer)}
    seen["OW"] = seen[BLINK] = None
    check = assess(renderer, Stub([*seen.values()])).visemes
    assert check.unseen == ("OW", BLINK)
    assert not [name for name in check.figures() if "_ow_" in name or "shut" in name]
    assert assess(renderer, Stub([None] * 8)).visemes.figures() == {"poses_unseen": 8}


def report(**mouths: MouthCheck) -> FitReport:
    """A good one, but for the given mouths."""
    good = {
        "rest": MouthCheck(0, 0, 50, 50, 1),
        "AA": MouthCheck(16, 17, 45, 46, 1),
        "IY": MouthCheck(9, 8, 58, 56, 1),
        "UW": MouthCheck(3, 1, 33, 38, 2),
        "M": MouthCheck(0, 0, 50, 50, 1),
    }
    check = VisemeCheck(good | mouths, eye_open_mm=8.0, eye_shut_mm=2.0)
    return FitReport(36, 34, 50_000, 16_000, 200, 0, 0, 8, 0, 1, check, 3)


def judge(made: FitReport) -> None:
    sheet = np.zeros((4, 4, 3), np.uint8)
    check_gate(made.face_psnr_db, made.visemes, made.figures(), sheet)


def warnings(made: FitReport) -> list[Finding]:
    return [*photo_warnings(made), *viseme_warnings(made.visemes)]


@pytest.mark.parametrize(
    ("poor", "said"),
    [
        (replace(report(), face_psnr_db=12.0), "12.0 dB"),
        (replace(report(), visemes=VisemeCheck(unseen=("rest", "AA"))), "no face is seen"),
        (report(rest=MouthCheck(0, 0, 50, 50, 6)), "at rest its lips"),
        (report(IY=MouthCheck(9, 9, 58, 58, 6)), "at IY its lips"),
        (report(AA=MouthCheck(16, 5, 45, 45, 1)), "opens 5.0 mm"),
        (report(M=MouthCheck(0, 4, 50, 50, 1)), "4.0 mm apart"),
        (report(UW=MouthCheck(3, 3, 33, 60, 1)), "UW is 4.0 mm wider"),
    ],
)
def test_the_gate_names_what_is_wrong(poor: FitReport, said: str) -> None:
    with pytest.raises(PoorAvatar, match=said) as caught:
        judge(poor)
    assert caught.value.code == "poor_avatar"
    assert caught.value.remedy
    assert caught.value.figures == poor.figures()


def test_a_good_avatar_passes_without_a_word() -> None:
    judge(report())
    assert warnings(report()) == []


@pytest.mark.parametrize(
    ("weak", "reason"),
    [
        (replace(report(), lip_gap_mm=8.0), "mouth_open"),
        (replace(report(), narrowing=0.75), "smile"),
        (report(UW=MouthCheck(3, 1, 33, 46, 3)), "weak_visemes"),
        (replace(report(), visemes=VisemeCheck(eye_open_mm=8, eye_shut_mm=7)), "weak_blink"),
    ],
)
def test_warnings_come_with_a_remedy(weak: FitReport, reason: str) -> None:
    (finding,) = warnings(weak)
    assert finding.reason == reason
    assert finding.remedy


def test_landmarks_beside_the_face_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refined = FaceDetector.refined

    def lower(self: FaceDetector, picture: NDArray[np.uint8], copies: int = 11) -> Landmarks:
        landmarks = refined(self, picture, copies)
        assert landmarks is not None
        if copies < 11:  # what the check sees is true
            return landmarks
        landmarks[:, 1] += 0.06 * np.ptp(landmarks[:468, 1])
        return landmarks

    monkeypatch.setattr(FaceDetector, "refined", lower)
    with pytest.raises(PoorAvatar, match="at rest its lips are seen"):
        fit_photo(load_photo(hopper_photo()))


@pytest.mark.parametrize("name", ["swiz3n", "lwbsza"])
def test_real_faces_pass(name: str, fitted: Callable[[Path], FitResult]) -> None:
    """A moustache and dark skin; long hair. All faces at hand: docs/avatar-quality.md."""
    fit = fitted(shared_data("portraits", "grid") / f"{name}_first.png")
    assert fit.report.face_psnr_db > 34
    assert all(finding.remedy for finding in fit.warnings)
