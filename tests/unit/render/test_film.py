"""Whole videos: length, order, memory, cancellation."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import av
import numpy as np
import pytest

from lipstream.errors import BadInput, Cancelled
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats, Motion
from lipstream.render import FilmOptions, FilmStats, SplatRenderer, render_video
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def avatar() -> AvatarModel:
    return synthetic_avatar()


def _sound(seconds: float) -> Floats:
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    sound: Floats = (0.3 * np.sin(2 * np.pi * 200 * t)).astype(np.float32)
    return sound


def _film(
    avatar: AvatarModel,
    sink: Path | io.BytesIO,
    motion: list[Motion],
    audio: list[Floats] | None,
    options: FilmOptions | None = None,
) -> FilmStats:
    options = options if options is not None else FilmOptions(size_px=64)
    return render_video(avatar, motion, audio, sink, options=options, driver=SyntheticDriver())


def _pictures(path: Path) -> list[np.ndarray]:  # type: ignore[type-arg]
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.mark.parametrize("motion_s", [0.6, 2.0, 3.0])
@pytest.mark.parametrize("fps", [25.0, 30.0])
def test_is_as_long_as_the_sound(
    avatar: AvatarModel, tmp_path: Path, motion_s: float, fps: float
) -> None:
    path = tmp_path / "film.mp4"
    motion = [synthetic_motion(round(motion_s * 25))]
    stats = _film(avatar, path, motion, [_sound(2.01)], FilmOptions(size_px=64, fps=fps))
    assert stats.frames == round(2.01 * fps) == len(_pictures(path))
    assert stats.size_bytes == path.stat().st_size
    with av.open(str(path)) as container:
        assert container.duration == pytest.approx(2.01e6, abs=0.5e6 / fps)


def test_frames_are_the_renderers_in_order(avatar: AvatarModel, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    motion = Motion.rest(30)
    motion.rotation[:, 1] = np.linspace(-0.5, 0.5, 30)
    _film(avatar, path, [motion[:11], motion[11:]], None, FilmOptions(size_px=128, threads=3))
    renderer = SplatRenderer(avatar, 128, driver=SyntheticDriver())
    pictures = _pictures(path)
    expected = [renderer.rgb(renderer.pose(motion, t)).astype(int) for t in range(30)]
    distance = [[np.abs(p - e).mean() for e in expected] for p in pictures]
    assert np.argmin(distance, axis=1).tolist() == list(range(30))
    assert np.diagonal(distance).max() < 8  # saturated colours at half resolution


def test_neither_chunks_nor_threads_change_the_bytes(avatar: AvatarModel) -> None:
    motion, sound = synthetic_motion(50), _sound(2)
    whole, pieces = io.BytesIO(), io.BytesIO()
    _film(avatar, whole, [motion], [sound], FilmOptions(size_px=64, threads=1))
    _film(
        avatar,
        pieces,
        [motion[:7], motion[7:8], motion[8:]],
        [sound[:100], sound[100:100], sound[100:20_000], sound[20_000:]],
        FilmOptions(size_px=64, threads=3),
    )
    assert len(whole.getvalue()) > 1000
    assert _streams(whole) == _streams(pieces)


def _streams(sink: io.BytesIO) -> list[bytes]:
    """What was encoded; the packets' order in the file may follow the chunks."""
    sink.seek(0)
    kinds: dict[str, bytes] = {"video": b"", "audio": b""}
    with av.open(sink, "r") as container:
        for packet in container.demux():
            kinds[packet.stream.type] += bytes(packet)
    return list(kinds.values())


def test_input_is_drawn_as_it_is_needed(avatar: AvatarModel) -> None:
    """A film of any length holds a few frames at a time: its inputs are pulled in step."""
    pulled = {"motion": 0, "sound": 0}
    spread: list[int] = []
    done = 0

    def motion() -> Iterator[Motion]:
        for k in range(60):
            pulled["motion"] += 1
            spread.append(pulled["motion"] * 5 - done)
            yield synthetic_motion(60 * 5)[5 * k : 5 * k + 5]

    def sound() -> Iterator[Floats]:
        for _ in range(60):
            pulled["sound"] += 1
            spread.append(pulled["sound"] * 5 - done)
            yield _sound(0.2)

    def progress(frames: int) -> None:
        nonlocal done
        done = frames

    render_video(
        avatar,
        motion(),
        sound(),
        io.BytesIO(),
        options=FilmOptions(size_px=64),
        progress=progress,
        driver=SyntheticDriver(),
    )
    assert done == 300
    assert max(spread) <= 20


def test_can_be_cancelled(avatar: AvatarModel, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    cancel = Event()

    def endless() -> Iterator[Motion]:
        while True:
            yield synthetic_motion(25)

    with pytest.raises(Cancelled):
        render_video(
            avatar,
            endless(),
            None,
            path,
            options=FilmOptions(size_px=64),
            progress=lambda frames: cancel.set() if frames == 10 else None,
            cancel=cancel,
            driver=SyntheticDriver(),
        )
    assert list(tmp_path.iterdir()) == []


def test_a_failing_source_leaves_nothing(avatar: AvatarModel, tmp_path: Path) -> None:
    def failing() -> Iterator[Motion]:
        yield synthetic_motion(10)
        raise BadInput("The motion ends here.")

    with pytest.raises(BadInput, match="ends here"):
        render_video(
            avatar,
            failing(),
            [_sound(1)],
            tmp_path / "film.mp4",
            options=FilmOptions(size_px=64),
            driver=SyntheticDriver(),
        )
    assert list(tmp_path.iterdir()) == []


def test_no_motion_and_no_sound_are_refused(avatar: AvatarModel, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no motion"):
        _film(avatar, tmp_path / "a.mp4", [], [_sound(1)])
    with pytest.raises(BadInput, match="sound is empty"):
        _film(avatar, tmp_path / "b.mp4", [synthetic_motion(5)], [_sound(0)])
    assert list(tmp_path.iterdir()) == []
