"""Files: what players will find in them."""

from __future__ import annotations

import io
import os
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lipstream.errors import BadInput, Unavailable
from lipstream.face.motion import Floats
from lipstream.render import LiveEncoder, SplatRenderer, VideoWriter, open_background
from lipstream.render.color import rgb_to_yuv420p
from lipstream.render.splats import Bytes
from lipstream.wire.output import PictureSize
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

SIZE_PX = 128
RATE_HZ = 16_000
PATCHES = {
    "red": (200, 40, 30),
    "green": (40, 180, 60),
    "blue": (30, 50, 200),
    "skin": (224, 172, 145),
    "white": (250, 250, 250),
    "black": (5, 5, 5),
    "grey": (128, 128, 128),
}


def _planes(color: tuple[int, int, int]) -> Bytes:
    picture = np.empty((SIZE_PX, SIZE_PX, 3), np.uint8)
    picture[:] = color
    planes: Bytes = np.concatenate([plane.reshape(-1) for plane in rgb_to_yuv420p(picture)])
    return planes.reshape(SIZE_PX * 3 // 2, SIZE_PX)


def _write(sink: Path | io.BytesIO, seconds: int = 3, fps: float = 25.0) -> None:
    """A flash and a click at every full second."""
    with VideoWriter(sink, SIZE_PX, fps, RATE_HZ) as writer:
        for k in range(round(seconds * fps)):
            writer.write_frame(_planes((240,) * 3 if k % fps == 0 else (20,) * 3))
            until = round((k + 1) / fps * RATE_HZ)
            chunk = np.zeros(until - writer.samples, np.float32)
            if k % fps == 0:
                chunk[:8] = 0.9
            writer.write_audio(chunk)


def _decode_audio(path: Path) -> tuple[Floats, int]:
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        pieces = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
        return np.concatenate(pieces), rate


def test_sound_and_picture_are_in_time(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    _write(path)
    with av.open(str(path)) as container:
        flashes = [
            frame.time for frame in container.decode(video=0) if frame.to_ndarray()[0, 0] > 120
        ]
    assert flashes == [0, 1, 2]
    sound, rate = _decode_audio(path)
    for second in (1, 2):
        around = np.abs(sound[int((second - 0.1) * rate) : int((second + 0.1) * rate)])
        assert (around.argmax() / rate - 0.1) == pytest.approx(0, abs=2e-3)
    assert np.abs(sound).max() > 0.3


@pytest.mark.parametrize("fps", [25.0, 29.97, 30.0])
def test_is_as_long_as_what_was_written(tmp_path: Path, fps: float) -> None:
    path = tmp_path / "film.mp4"
    _write(path, seconds=2, fps=fps)
    with av.open(str(path)) as container:
        assert container.duration == pytest.approx(2_000_000, abs=1e6 / fps)
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.frames == round(2 * fps)
        assert float(video.average_rate or 0) == pytest.approx(fps)
        assert audio.duration is not None
        assert audio.time_base is not None
        assert float(audio.duration * audio.time_base) == pytest.approx(2, abs=2e-3)


def test_is_what_players_play(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    _write(path, seconds=1)
    content = path.read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")  # starts before it is loaded
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (audio.codec_context.name, audio.channels) == ("aac", 1)
        assert "synthetic=true" in container.metadata["comment"]
        assert "lipstream" in container.metadata["comment"]


@pytest.mark.parametrize("name", PATCHES)
def test_colours_come_back(tmp_path: Path, name: str) -> None:
    """Decoded by what the stream's tags say, not by what we know of it."""
    path = tmp_path / "film.mp4"
    with VideoWriter(path, SIZE_PX, audio_rate_hz=None) as writer:
        for _ in range(3):
            writer.write_frame(_planes(PATCHES[name]))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        tags = (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range)
        assert tags == (1, 1, 1, 1)  # BT.709 three times, limited range
        middle = frame.to_ndarray(format="rgb24")[SIZE_PX // 2, SIZE_PX // 2].astype(int)
    assert np.abs(middle - PATCHES[name]).max() <= 4


def test_the_same_input_gives_the_same_bytes() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    _write(first)
    _write(second)
    assert first.getvalue() == second.getvalue()
    assert len(first.getvalue()) > 1000


def test_sound_of_any_rate_keeps_its_pitch(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with VideoWriter(path, SIZE_PX, 25, 22_050) as writer:
        for _ in range(25):
            writer.write_frame(_planes((9, 9, 9)))
        seconds = np.arange(22_050) / 22_050
        writer.write_audio((0.5 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32))
    sound, rate = _decode_audio(path)
    spectrum = np.abs(np.fft.rfft(sound[:rate]))
    assert spectrum.argmax() == pytest.approx(440, abs=2)


def test_nothing_is_left_after_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"older")

    def fail() -> None:
        with VideoWriter(path, SIZE_PX) as writer:
            writer.write_frame(_planes((1, 2, 3)))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert path.read_bytes() == b"older"
    assert [p.name for p in tmp_path.iterdir()] == ["film.mp4"]


def test_what_cannot_be_encoded_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with pytest.raises(BadInput, match="frame rate"):
        VideoWriter(path, SIZE_PX, fps=200)
    with pytest.raises(BadInput, match="pixels"):
        VideoWriter(path, 5000)
    with pytest.raises(BadInput, match="samples per second"):
        VideoWriter(path, SIZE_PX, audio_rate_hz=200)
    with pytest.raises(BadInput, match="does not exist"):
        VideoWriter(tmp_path / "no" / "film.mp4", SIZE_PX)
    with pytest.raises(BadInput, match="not finite"), VideoWriter(path, SIZE_PX) as writer:
        writer.write_audio(np.full(100, np.nan, np.float32))
    with pytest.raises(BadInput, match="does not fit"), VideoWriter(path, SIZE_PX) as writer:
        writer.write_frame(np.zeros((96, 64), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_a_sink_that_takes_nothing_is_reported(tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def write(self, content: object) -> int:
            raise OSError(28, "No space left on device")

    before = set(Path(tempfile.gettempdir()).glob(".lipstream-*"))
    with pytest.raises(Unavailable, match="No space left"):
        _write(Full(), seconds=1)
    assert set(Path(tempfile.gettempdir()).glob(".lipstream-*")) <= before


def test_files_are_as_readable_as_others(tmp_path: Path) -> None:
    ordinary, film = tmp_path / "ordinary", tmp_path / "film.mp4"
    ordinary.touch()
    _write(film, seconds=1)
    assert film.stat().st_mode == ordinary.stat().st_mode


@pytest.mark.parametrize("hardware", [False, True])
def test_live_pictures_come_out_one_for_one(hardware: bool) -> None:
    """On the GPU's encoder, or without one on the processor's."""
    encoder = LiveEncoder(SIZE_PX, hardware=hardware)
    assert encoder.codec in ({"h264_nvenc", "libx264"} if hardware else {"libx264"})
    units = [encoder.encode(_planes((8 * k, 100, 50)), keyframe=k == 7) for k in range(10)]
    assert [unit.frame_index for unit in units] == list(range(10))
    assert [unit.is_keyframe for unit in units] == [k in (0, 7) for k in range(10)]
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    # Someone who joins at the key frame sees the picture.
    packet = av.Packet(units[7].data)
    packet.pts, packet.time_base = 7, Fraction(1, 25)
    frames = [*decoder.decode(packet), *decoder.decode(None)]
    assert frames[0].to_ndarray(format="rgb24")[50, 50, 0] == pytest.approx(56, abs=5)


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_not_replaced(kind: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    if kind == "folder":
        target.mkdir()
    else:
        os.mkfifo(target)
    before = target.stat().st_mode
    with pytest.raises(BadInput, match="is no file"):
        VideoWriter(target, SIZE_PX)
    assert target.stat().st_mode == before
    assert list(tmp_path.iterdir()) == [target]


def test_live_pictures_with_alpha_are_two_side_by_side() -> None:
    """Decoded and put over a background by the documented rule, they show what was drawn."""
    renderer = SplatRenderer(
        synthetic_avatar(splats=3000),
        PictureSize(96, 128),
        background=open_background("none"),
        driver=SyntheticDriver(),
    )
    pose = renderer.pose(synthetic_motion(5), 4)
    encoder = LiveEncoder(renderer.size, alpha=True, quantizer=8)
    unit = encoder.encode(renderer.yuva420p(pose, straight=False))
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    packet = av.Packet(unit.data)
    frame = [*decoder.decode(packet), *decoder.decode(None)][0]
    assert (frame.width, frame.height) == (192, 128)
    both = frame.to_ndarray(format="rgb24") / 255.0
    drawn = renderer.rgba(pose) / 255.0
    assert np.abs(both[:, 96:] - drawn[..., 3:]).mean() < 0.01
    behind = np.array([0.1, 0.6, 0.2])
    composed = both[:, :96] + (1 - both[:, 96:]) * behind
    expected = drawn[..., :3] * drawn[..., 3:] + (1 - drawn[..., 3:]) * behind
    assert np.abs(composed - expected).mean() < 0.03  # colours at half resolution
