"""Files of every kind, read back: pictures, alpha, sound and the mark of what was generated."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from lipstream.errors import BadInput
from lipstream.face.motion import Floats, Motion
from lipstream.render import (
    FilmOptions,
    FilmStats,
    Layout,
    SplatRenderer,
    VideoWriter,
    open_background,
    render_video,
)
from lipstream.render.splats import Bytes
from lipstream.render.video import MARK
from lipstream.wire.output import FilmFormat, PictureSize
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

SIZE = PictureSize(96, 128)
FRAMES = 12
RATE_HZ = 16_000
MOTION = synthetic_motion(FRAMES)
AVATAR = synthetic_avatar(splats=3000, opacity_min=0.9)


def _sound() -> Floats:
    t = np.arange(FRAMES * RATE_HZ // 25) / RATE_HZ
    sound: Floats = (0.3 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
    return sound


def _film(sink: Path | io.BytesIO, kind: FilmFormat, background: str) -> FilmStats:
    options = FilmOptions(size_px=SIZE, format=kind, background=open_background(background))
    return render_video(
        AVATAR, [MOTION], [_sound()], sink, options=options, driver=SyntheticDriver()
    )


def _expected(background: str, frame: int, layout: Layout = Layout.RGBA) -> Bytes:
    renderer = SplatRenderer(
        AVATAR, SIZE, background=open_background(background), driver=SyntheticDriver()
    )
    return renderer.picture(renderer.pose(MOTION, frame), layout)


def _decoded(path: Path) -> list[av.VideoFrame]:
    """As players do that know of alpha; FFmpeg's own decoder of VP9 does not."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.codec_context.name != "libvpx-vp9" and path.suffix == ".webm":
            decoder = av.CodecContext.create("libvpx-vp9", "r")
            assert isinstance(decoder, av.VideoCodecContext)
            return [frame for packet in container.demux(stream) for frame in decoder.decode(packet)]
        return list(container.decode(stream))


def _rgba(frame: av.VideoFrame) -> Bytes:
    picture: Bytes = np.asarray(frame.to_ndarray(format="rgba"), np.uint8)
    return picture


def _psnr_db(a: Bytes, b: Bytes) -> float:
    error = (a.astype(np.float64) - b.astype(np.float64)) / 255
    return float(-10 * np.log10((error**2).mean() + 1e-12))


@pytest.mark.parametrize(
    ("kind", "video", "alpha_db"), [(FilmFormat.WEBM, "vp9", 33), (FilmFormat.MOV, "prores", 50)]
)
def test_alpha_comes_back_from_videos(
    tmp_path: Path, kind: FilmFormat, video: str, alpha_db: float
) -> None:
    path = tmp_path / f"film{kind.ending}"
    stats = _film(path, kind, "none")
    frames = _decoded(path)
    assert len(frames) == stats.frames == FRAMES
    for frame in (0, FRAMES - 1):
        found, expected = _rgba(frames[frame]), _expected("none", frame)
        assert _psnr_db(found[..., 3], expected[..., 3]) > alpha_db
        solid = expected[..., 3] == 255
        assert 0.1 < solid.mean() < 0.6
        assert _psnr_db(found[solid][:, :3], expected[solid][:, :3]) > 24  # chroma at half
        assert found[expected[..., 3] == 0][:, 3].mean() < 1
    with av.open(str(path)) as container:
        assert video in container.streams.video[0].codec_context.name
        metadata = {key.lower(): value for key, value in container.metadata.items()}
        assert metadata["comment"] == MARK
        if kind is FilmFormat.WEBM:
            assert container.streams.video[0].metadata["ALPHA_MODE"] == "1"


@pytest.mark.parametrize(
    ("kind", "sound"), [(FilmFormat.WEBM, "opus"), (FilmFormat.MOV, "pcm_s16le")]
)
def test_sound_is_as_long_as_the_pictures(tmp_path: Path, kind: FilmFormat, sound: str) -> None:
    path = tmp_path / f"film{kind.ending}"
    _film(path, kind, "photo")
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.name == sound
        pieces = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
        samples = np.concatenate(pieces).astype(np.float64)
    assert len(samples) / 48_000 == pytest.approx(FRAMES / 25, abs=0.03)
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum[1:].argmax() + 1 == pytest.approx(440 * len(samples) / 48_000, abs=2)


@pytest.mark.parametrize("kind", [FilmFormat.WEBM, FilmFormat.MOV])
def test_with_a_background_there_is_no_alpha(tmp_path: Path, kind: FilmFormat) -> None:
    path = tmp_path / f"film{kind.ending}"
    _film(path, kind, "photo")
    frame = _decoded(path)[3]
    assert not any(component.is_alpha for component in frame.format.components)
    assert _psnr_db(_rgba(frame), _expected("photo", 3)) > 24


@pytest.mark.parametrize("name", ["film.zip", "film"])
@pytest.mark.parametrize("background", ["none", "#204060"])
def test_pictures_are_lossless(tmp_path: Path, name: str, background: str) -> None:
    target = tmp_path / name
    stats = _film(target, FilmFormat.PNG, background)
    if name.endswith(".zip"):
        archive = zipfile.ZipFile(target)
        files = {member: archive.read(member) for member in archive.namelist()}
    else:
        files = {member.name: member.read_bytes() for member in target.iterdir()}
    assert stats.frames == FRAMES
    pictures = [f"{k:06d}.png" for k in range(FRAMES)]
    assert set(files) == {*pictures, "film.json", "sound.wav"}
    for k in (0, 7):
        with Image.open(io.BytesIO(files[pictures[k]])) as image:
            assert image.info["Comment"] == MARK
            layout = Layout.RGBA if background == "none" else Layout.RGB
            expected = _expected(background, k, layout)
            np.testing.assert_array_equal(np.asarray(image), expected)
    about: dict[str, Any] = json.loads(files["film.json"])
    assert (about["fps"], about["frames"], about["size"]) == (25.0, FRAMES, [96, 128])
    assert about["comment"] == MARK
    with av.open(io.BytesIO(files["sound.wav"]), "r") as sound:
        assert sound.metadata["comment"] == MARK
        assert sound.duration == pytest.approx(FRAMES / 25 * 1e6, rel=0.01)
    assert [left.name for left in tmp_path.iterdir()] == [name]


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "letter.txt").touch()
    with pytest.raises(BadInput, match="no empty folder"):
        _film(tmp_path / "film", FilmFormat.PNG, "none")
    assert [left.name for left in (tmp_path / "film").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("name", ["film.zip", "film", "film.webm"])
def test_nothing_is_left_after_a_failure(tmp_path: Path, name: str) -> None:
    def failing() -> Any:
        yield Motion.rest(3)
        raise BadInput("The motion ends here.")

    kind = FilmFormat.WEBM if name.endswith("webm") else FilmFormat.PNG
    with pytest.raises(BadInput, match="ends here"):
        render_video(
            AVATAR,
            failing(),
            [_sound()],
            tmp_path / name,
            options=FilmOptions(size_px=64, format=kind),
            driver=SyntheticDriver(),
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [FilmFormat.WEBM, FilmFormat.MOV, FilmFormat.PNG])
def test_the_same_input_gives_the_same_bytes(kind: FilmFormat) -> None:
    first, second = io.BytesIO(), io.BytesIO()
    _film(first, kind, "none")
    _film(second, kind, "none")
    assert first.getvalue() == second.getvalue()
    assert len(first.getvalue()) > 1000
    if kind is FilmFormat.PNG:  # nor do they tell the time
        with zipfile.ZipFile(first) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_what_cannot_be_transparent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="mp4 cannot be transparent") as refusal:
        _film(tmp_path / "film.mp4", FilmFormat.MP4, "none")
    assert refusal.value.code == "no_alpha"
    assert "webm" in refusal.value.remedy
    with pytest.raises(BadInput, match="no video"):
        VideoWriter(tmp_path / "film.zip", 64, format=FilmFormat.PNG)
    assert list(tmp_path.iterdir()) == []
