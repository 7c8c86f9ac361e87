"""The mouth in millimetres: exact on faces that move, at any frame rate; refusals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.evaluation.video.mouth import Mouth, watch
from lipstream.evaluation.video.pictures import Picture
from tests.unit.evaluation.video.actor import act, moved


def test_head_motion_leaves_no_trace_in_the_curves() -> None:
    gap_mm = 12 * np.abs(np.sin(np.arange(40) / 3))
    width_mm = 50 + 5 * np.cos(np.arange(40) / 4)
    mouth = Mouth.from_landmarks(moved(act(gap_mm, width_mm)), np.arange(40) / 25)
    assert mouth.gap_mm == pytest.approx(gap_mm, abs=1e-6)
    assert mouth.width_mm == pytest.approx(width_mm, abs=1e-6)
    assert mouth.jaw_mm == pytest.approx(mouth.jaw_mm[0], abs=1e-6)
    assert mouth.lower_lip_mm.std() > 0.1  # the fixed lower edge shows it


@pytest.mark.parametrize("fps", [12.5, 25.0, 30.0, 50.0, 59.94])
def test_curves_are_read_at_the_time_of_their_frames(fps: float) -> None:
    times_s: NDArray[np.float64] = 0.1 + np.arange(int(2 * fps)) / fps
    mouth = Mouth.from_landmarks(act(5 * times_s, np.full(len(times_s), 50.0)), times_s)
    sampled = mouth.sampled(mouth.gap_mm)
    assert mouth.fps == pytest.approx(fps)
    inner = slice(10, int(times_s[-1] * 100))
    assert sampled[inner] == pytest.approx(5 * np.arange(len(sampled))[inner] / 100, abs=1e-6)


def test_frames_at_uneven_times_keep_their_places() -> None:
    times_s = np.sort(np.random.default_rng(1).uniform(0, 3, 60))
    mouth = Mouth.from_landmarks(act(2.0 * times_s, np.full(60, 50.0)), times_s)
    assert mouth.sampled(mouth.gap_mm)[100:200] == pytest.approx(
        2 * np.arange(100, 200) / 100, abs=1e-6
    )


class _Seer:
    """Sees a face in the first frames only."""

    def __init__(self, faces: int, scale: float = 1.0) -> None:
        self._left, self._scale = faces, scale

    def landmarks(self, picture: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        self._left -= 1
        return act(np.array([3.0]), np.array([50.0]))[0] * self._scale if self._left >= 0 else None


def _frames(count: int) -> Iterator[Picture]:
    for k in range(count):
        yield Picture(k / 25, np.zeros((8, 8, 3), np.uint8))


def test_a_few_frames_without_a_face_are_bridged() -> None:
    mouth = watch(_frames(20), _Seer(17))
    assert mouth.seen_share == pytest.approx(0.85)


@pytest.mark.parametrize(
    ("frames", "faces", "scale", "message"),
    [
        (20, 0, 1.0, "No face was found"),
        (20, 5, 1.0, "only 5 of 20 frames"),
        (6, 6, 1.0, "only 6 frames"),
        (20, 20, 0.1, "too small"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    frames: int, faces: int, scale: float, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        watch(_frames(frames), _Seer(faces, scale))
