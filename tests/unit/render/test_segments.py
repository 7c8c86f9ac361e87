"""A film that is made in segments is byte for byte the one that is made in one go."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from lipstream.errors import BadInput
from lipstream.face.motion import Floats
from lipstream.render import FilmOptions, open_background, render_video
from lipstream.render.segments import join_segments, render_segment, split
from lipstream.wire.output import FilmFormat
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

RATE_HZ = 16_000
SOUND_S = 20.1


def _sound() -> Floats:
    noise = np.random.default_rng(7).normal(0, 0.05, round(SOUND_S * RATE_HZ))
    sound: Floats = noise.astype(np.float32)
    return sound


def _moving_background(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 64
        for value in range(0, 250, 10):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), value, np.uint8))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("format", "fps", "background"),
    [
        (FilmFormat.MP4, 10.0, "photo"),
        (FilmFormat.MP4, 15.0, "moving"),
        (FilmFormat.MOV, 10.0, "none"),
        (FilmFormat.WEBM, 12.0, "none"),
    ],
)
def test_segments_joined_are_the_film(
    tmp_path: Path, format: FilmFormat, fps: float, background: str
) -> None:
    avatar = synthetic_avatar()
    if background == "moving":
        background = str(_moving_background(tmp_path / "behind.mp4"))
    behind = open_background(background)
    options = FilmOptions(size_px=64, fps=fps, format=format, background=behind)
    motion, driver = synthetic_motion(490), SyntheticDriver()  # the sound is a little longer
    whole, joined = tmp_path / f"whole{format.ending}", tmp_path / f"joined{format.ending}"
    film = render_video(
        avatar, [motion], [_sound()], whole, audio_rate_hz=RATE_HZ, options=options, driver=driver
    )
    segments = []
    for frames in split(len(_sound()), RATE_HZ, fps):
        segment = tmp_path / f"{frames.start}{format.ending}"
        made = render_segment(avatar, motion, frames, segment, options=options, driver=driver)
        assert made.frames == len(frames)
        segments.append(segment)
    assert len(segments) == 3
    stats = join_segments(segments, [_sound()], joined, audio_rate_hz=RATE_HZ, options=options)
    assert stats.frames == film.frames == round(SOUND_S * fps)
    assert stats.duration_s == film.duration_s
    assert joined.read_bytes() == whole.read_bytes()


def test_there_are_no_seams_in_the_times(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    options = FilmOptions(size_px=64)
    render_video(
        synthetic_avatar(),
        [synthetic_motion(260)],
        None,
        path,
        options=options,
        driver=SyntheticDriver(),
    )
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
        tick = packets[0].time_base
        dts = [packet.dts for packet in packets if packet.dts is not None]
        assert [b - a for a, b in pairwise(dts)] == [round(1 / (25 * tick))] * 259
        keys = [round(p.pts * tick * 25) for p in packets if p.is_keyframe and p.pts is not None]
        assert {0, 50, 100, 150, 200, 250} <= set(keys)
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 260


def test_pictures_as_files_have_no_segments(tmp_path: Path) -> None:
    options = replace(FilmOptions(size_px=64), format=FilmFormat.PNG)
    with pytest.raises(BadInput, match="not made in segments"):
        join_segments([], [], tmp_path / "x.zip", audio_rate_hz=RATE_HZ, options=options)
    assert list(tmp_path.iterdir()) == []
