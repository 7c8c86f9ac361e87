"""What stands behind the person."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageOps

from lipstream.errors import BadInput, LipstreamError, NotFound, TooLarge
from lipstream.render import FilmOptions, SplatRenderer, open_background, render_video
from lipstream.render.clip import open_clip
from lipstream.render.gate import BoundedClip
from lipstream.render.splats import Bytes
from lipstream.wire.output import PictureSize
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

AVATAR = synthetic_avatar(splats=3000)
MOTION = synthetic_motion(30)
SQUARE = PictureSize(64, 64)


def _picture(background: str, size: int | PictureSize = 128) -> Bytes:
    renderer = SplatRenderer(
        AVATAR, size, background=open_background(background), driver=SyntheticDriver()
    )
    return renderer.rgb(renderer.pose(MOTION, 4)).copy()


def _video(path: Path, colors: list[tuple[int, int, int]], fps: int = 25) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 80, 64, "yuv420p"
        for color in colors:
            pixels = np.full((64, 80, 3), color, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_every_background_keeps_the_person(tmp_path: Path) -> None:
    """Over a background stands what the film without one shows."""
    Image.new("RGB", (50, 90), (10, 200, 30)).save(tmp_path / "wall.png")
    none = SplatRenderer(AVATAR, 128, background=open_background("none"), driver=SyntheticDriver())
    cut = none.rgba(none.pose(MOTION, 4)) / 255.0
    behind = np.array([10, 200, 30]) / 255.0
    expected = cut[..., :3] * cut[..., 3:] + (1 - cut[..., 3:]) * behind
    for wish in ("#0ac81e", str(tmp_path / "wall.png")):
        assert np.abs(_picture(wish) / 255.0 - expected).max() < 0.03


def test_the_photos_own_background_is_the_default() -> None:
    renderer = SplatRenderer(AVATAR, 128, driver=SyntheticDriver())
    np.testing.assert_array_equal(_picture("photo"), renderer.rgb(renderer.pose(MOTION, 4)))


def test_blur_softens_the_background_alone() -> None:
    grain = np.random.default_rng(0).integers(0, 255, AVATAR.plate.shape).astype(np.uint8)
    grainy = replace(AVATAR, plate=grain)
    pictures = []
    for wish in ("photo", "blur"):
        background = open_background(wish)
        renderer = SplatRenderer(grainy, 128, background=background, driver=SyntheticDriver())
        pictures.append(renderer.rgb(renderer.pose(MOTION, 4)).astype(int))
    sharp, soft = (picture[:24].std() for picture in pictures)
    assert soft < 0.5 * sharp
    torso = np.s_[116:, 50:78]
    assert np.abs(pictures[0][torso] - pictures[1][torso]).mean() < 1


def test_pictures_cover_the_frame(tmp_path: Path) -> None:
    """The middle of a wide picture fills an upright one, undistorted."""
    pixels = np.zeros((100, 400, 3), np.uint8)
    pixels[:, 175:225, 1] = 255  # a green square of half the height
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    clip = open_clip(tmp_path / "wide.png", "The background")
    cover = clip.first(PictureSize(64, 128))[..., 1]
    assert not clip.moves
    assert cover.shape == (128, 64)
    assert (cover > 128).sum(axis=1).tolist() == [64] * 128
    wider = clip.first(PictureSize(128, 128))[..., 1]
    assert (wider > 128).sum(axis=1).tolist() == [64] * 128


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_pictures_are_turned_upright(orientation: int, tmp_path: Path) -> None:
    image = Image.effect_mandelbrot((64, 64), (-2, -1.5, 1, 1.5), 50).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    with Image.open(tmp_path / "turned.jpg") as saved:
        upright = np.asarray(ImageOps.exif_transpose(saved), int)
    found = open_clip(tmp_path / "turned.jpg", "The background").first(SQUARE)
    assert np.abs(found - upright).mean() < 4


def test_what_is_clear_in_a_picture_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (open_clip(tmp_path / "clear.png", "The background").first(SQUARE) == 255).all()


def test_videos_loop_at_their_own_pace(tmp_path: Path) -> None:
    """Frames are picked by time: 2 of 50 fps for one of 25, and again from the start."""
    colors = [(200, 0, 0), (200, 0, 0), (0, 200, 0), (0, 200, 0), (0, 0, 200), (0, 0, 200)]
    clip = open_clip(_video(tmp_path / "loop.mp4", colors, fps=50), "The background")
    assert clip.moves
    pictures = clip.pictures(SQUARE, 25.0)
    shown = [int(next(pictures)[32, 32].argmax()) for _ in range(9)]
    assert shown == [0, 1, 2, 0, 1, 2, 0, 1, 2]
    slower = clip.pictures(SQUARE, 50.0)
    assert [int(next(slower)[32, 32].argmax()) for _ in range(7)] == [0, 0, 1, 1, 2, 2, 0]


def test_an_upload_is_decoded_as_a_file_is(tmp_path: Path) -> None:
    path = _video(tmp_path / "loop.mp4", [(9 * n, 99, 250 - 9 * n) for n in range(25)])
    size = PictureSize(64, 128)
    plain, upload = open_clip(path, "The background"), BoundedClip.open(path)
    assert upload.moves
    np.testing.assert_array_equal(upload.first(size), plain.first(size))
    pairs = zip(upload.pictures(size, 25.0), plain.pictures(size, 25.0), strict=False)
    for found, wanted in islice(pairs, 30):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("upload", [False, True])
def test_a_film_shows_its_background_move(upload: bool, tmp_path: Path) -> None:
    colors = [(220, 20, 20)] * 5 + [(20, 20, 220)] * 5
    path = _video(tmp_path / "loop.mp4", colors)
    background = open_background("upload", path) if upload else open_background(str(path))
    options = FilmOptions(size_px=64, background=background, threads=2)
    sink = tmp_path / "film.mp4"
    render_video(AVATAR, [MOTION], None, sink, options=options, driver=SyntheticDriver())
    with av.open(str(sink)) as container:
        corners = [f.to_ndarray(format="rgb24")[4, 4] for f in container.decode(video=0)]
    assert [int(corner.argmax()) for corner in corners] == ([0] * 5 + [2] * 5) * 3


def test_an_avatar_that_does_not_know_its_person_is_refused() -> None:
    unknown = replace(AVATAR, torso=None)
    SplatRenderer(unknown, 64)
    for wish in ("none", "blur", "#123456"):
        with pytest.raises(BadInput, match="person from its background") as refusal:
            SplatRenderer(unknown, 64, background=open_background(wish))
        assert refusal.value.code == "no_matte"


def _bad_file(kind: str, folder: Path) -> Path:
    path = folder / "wall.bin"
    match kind:
        case "missing":
            return path
        case "folder":
            path.mkdir()
        case "empty":
            path.touch()
        case "text":
            path.write_text("no picture\n" * 100)
        case "playlist":
            path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n/etc/passwd\n")
        case "concat":
            path.write_text("ffconcat version 1.0\nfile /etc/passwd\n")
        case "sound":
            with av.open(str(path), "w", format="mp4") as container:
                stream = container.add_stream("aac", rate=16_000, layout="mono")
                frame = av.AudioFrame.from_ndarray(
                    np.zeros((1, 4096), np.float32), format="fltp", layout="mono"
                )
                frame.sample_rate = 16_000
                container.mux(stream.encode(frame))
                container.mux(stream.encode(None))
        case "cut":
            Image.effect_noise((200, 200), 50).save(path, "PNG")
            path.write_bytes(path.read_bytes()[:60])
        case "huge":
            Image.new("1", (8000, 8000)).save(path, "PNG")
    return path


@pytest.mark.parametrize(
    "kind",
    ["missing", "folder", "empty", "text", "playlist", "concat", "sound", "cut", "huge"],
)
def test_files_that_are_no_background_are_refused_by_name(kind: str, tmp_path: Path) -> None:
    path = _bad_file(kind, tmp_path)
    with pytest.raises(LipstreamError, match=r"wall\.bin") as refusal:
        open_background(str(path))
    assert refusal.value.remedy
    assert isinstance(refusal.value, TooLarge | NotFound | BadInput)
    assert not refusal.value.retryable
