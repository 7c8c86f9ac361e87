"""What anybody may send in place of a good video: it works, or is refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lipstream.avatar.video.footage import check_video, frames, is_video, survey
from lipstream.avatar.video.shot import longest_shot
from lipstream.errors import BadInput, NotFound, TooLarge
from tests.unit.avatar.portraits import hopper
from tests.unit.avatar.video.films import film, on_its_side, plain


def refused(path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        longest_shot(survey(path))
    assert caught.value.remedy
    return caught.value


def test_a_video_is_known_by_its_content(tmp_path: Path) -> None:
    assert is_video(film(tmp_path / "portrait.jpg", plain(3)))
    assert is_video(film(tmp_path / "film", plain(3), container="matroska"))
    assert not is_video(hopper())
    text = tmp_path / "film.mp4"
    text.write_text("no film")
    assert not is_video(text)
    assert not is_video(tmp_path / "none.mp4")


def test_a_constant_rate(tmp_path: Path) -> None:
    footage = survey(film(tmp_path / "film.mp4", plain(40)))
    shot = longest_shot(footage)
    np.testing.assert_allclose(footage.times_s, np.arange(40) / 10, atol=1e-3)
    assert shot.size_px == (64, 48)
    assert shot.length_s == pytest.approx(4.0)
    assert not shot.of_several
    held = shot.times_s[shot.held_out]
    assert held.min() >= 2.0 - 1e-6
    assert held.max() < 2.4
    assert 0.05 <= shot.held_out.mean() <= 0.15


def test_every_tenth_second_is_held_out(tmp_path: Path) -> None:
    shot = longest_shot(survey(film(tmp_path / "film.mp4", plain(84), fps=4)))
    assert set(np.floor(shot.times_s[shot.held_out])) == {5.0, 15.0}


def test_a_rate_that_varies_goes_by_time(tmp_path: Path) -> None:
    gaps = np.tile([0.05, 0.2, 0.1], 12)
    times_s = np.concatenate([[0], np.cumsum(gaps)])
    path = film(tmp_path / "film.mp4", plain(len(times_s)), times_s=list(times_s))
    footage = survey(path)
    np.testing.assert_allclose(footage.times_s, times_s, atol=2e-3)
    shot = longest_shot(footage)
    unit_s = shot.length_s / 10
    assert (np.floor(shot.times_s[shot.held_out] / unit_s + 1e-6) == 5).all()


def test_a_phone_held_on_its_side(tmp_path: Path) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32] = 200
    path = on_its_side(film(tmp_path / "film.mp4", [picture] * 35))
    footage = survey(path)
    assert longest_shot(footage).size_px == (48, 64)
    upright = next(frames(footage, np.array([4])))
    assert upright.shape == (64, 48, 3)
    assert abs(float(upright[:20].mean()) - float(upright[-20:].mean())) > 100


def test_frames_come_in_order(tmp_path: Path) -> None:
    pictures = [np.full((48, 64, 3), 20 + 5 * k, np.uint8) for k in range(35)]
    footage = survey(film(tmp_path / "film.mp4", pictures))
    levels = [float(f.mean()) for f in frames(footage, np.array([3, 10, 30]))]
    np.testing.assert_allclose(levels, [35, 70, 170], atol=4)


def test_cuts_leave_the_longest_shot(tmp_path: Path) -> None:
    pictures = plain(15, 60) + plain(33, 200) + plain(12, 90)
    shot = longest_shot(survey(film(tmp_path / "film.mp4", pictures)))
    assert shot.of_several
    assert (shot.frames[0], shot.frames[-1]) == (15, 47)
    assert shot.times_s[0] == 0


def test_many_cuts_are_refused(tmp_path: Path) -> None:
    pictures = plain(20, 60) + plain(20, 200) + plain(20, 90)
    assert refused(film(tmp_path / "film.mp4", pictures)).code == "cuts"


def changing_size(folder: Path, first: int, then: int) -> Path:
    """So many frames of one size, then of another."""
    parts = [
        film(folder / "a.ts", plain(first), container="mpegts"),
        film(
            folder / "b.ts",
            plain(then, size=(96, 128)),
            times_s=[(first + k) / 10 for k in range(then)],
            container="mpegts",
        ),
    ]
    both = folder / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    return both


def test_a_size_that_changes(tmp_path: Path) -> None:
    shot = longest_shot(survey(changing_size(tmp_path, 34, 12)))
    assert shot.of_several
    assert shot.size_px == (64, 48)
    assert shot.length_s == pytest.approx(3.4, abs=0.2)


def test_a_size_that_changes_too_soon_is_refused_by_name(tmp_path: Path) -> None:
    error = refused(changing_size(tmp_path, 22, 20))
    assert error.code == "changing_size"
    assert "changes its size" in error.message
    assert "of one size" in error.remedy


def test_one_frame(tmp_path: Path) -> None:
    error = refused(film(tmp_path / "film.mp4", plain(1)))
    assert error.code == "too_short"
    assert "1 frames" in error.message


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_four_hours_are_refused_before_decoding(tmp_path: Path, container: str) -> None:
    times_s = [0.0, 1.0, 4 * 3600.0]
    path = film(tmp_path / "film", plain(3), times_s=times_s, container=container)
    for look in (survey, check_video):
        with pytest.raises(TooLarge, match="too long: 240 minutes") as caught:
            look(path)
        assert caught.value.code == "too_long"
        assert caught.value.remedy


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_refused_by_name(tmp_path: Path, transfer: int, name: str) -> None:
    path = film(tmp_path / "film.mp4", plain(3), transfer=transfer)
    for look in (survey, check_video):
        with pytest.raises(BadInput, match=name) as caught:
            look(path)
        assert caught.value.code == "hdr"


def test_truncated_files(tmp_path: Path) -> None:
    whole = film(tmp_path / "film.mp4", plain(60)).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])  # an MP4's directory stands at its end
    assert not is_video(cut)
    assert refused(cut).code == "not_a_video"

    whole = film(tmp_path / "film.ts", plain(60), container="mpegts").read_bytes()
    cut.write_bytes(whole[: int(len(whole) * 0.8)])
    assert longest_shot(survey(cut)).length_s > 3.0
    cut.write_bytes(whole[: len(whole) // 4])
    assert refused(cut).code == "too_short"


def test_no_film_at_all(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        survey(tmp_path / "none.mp4")
    assert refused(hopper()).code in ("too_short", "not_a_video")
