"""Motion at other frame rates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from lipstream.errors import BadInput
from lipstream.face.arkit import INDEX
from lipstream.face.motion import Motion
from lipstream.render import SplatRenderer
from lipstream.render.geometry import rotation_matrix
from lipstream.render.retime import retime
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion


def _whole(motion: Motion, fps: float) -> Motion:
    return Motion.concatenate(retime([motion], fps))


@pytest.mark.parametrize("fps", [10.0, 24.0, 29.97, 30.0, 50.0, 60.0])
def test_lasts_as_long_and_follows_the_curve(fps: float) -> None:
    motion = synthetic_motion(100)
    retimed = _whole(motion, fps)
    assert retimed.fps == fps
    assert len(retimed) == pytest.approx(4 * fps, abs=1)
    seconds = np.minimum(np.arange(len(retimed)) / fps, 99 / 25)
    jaw = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * seconds)
    assert np.abs(retimed.blendshapes[:, INDEX["jawOpen"]] - jaw).max() < 0.04
    yaw = 0.2 * np.sin(2 * np.pi * 0.2 * seconds)
    assert np.abs(retimed.rotation[:, 1] - yaw).max() < 1e-3


def test_the_same_rate_passes_untouched() -> None:
    motion = synthetic_motion(7)
    assert next(iter(retime([motion], 25.0))) is motion


@pytest.mark.parametrize("sizes", [[1] * 40, [13, 1, 0, 26], [40]])
@pytest.mark.parametrize("fps", [12.5, 30.0, 25.0])
def test_pieces_give_the_same_as_the_whole(sizes: list[int], fps: float) -> None:
    motion = synthetic_motion(40)
    cuts = np.cumsum([0, *sizes])
    pieces = [motion[a:b] for a, b in pairwise(cuts)]
    joined, whole = Motion.concatenate(retime(pieces, fps)), _whole(motion, fps)
    np.testing.assert_array_equal(joined.blendshapes, whole.blendshapes)
    np.testing.assert_array_equal(joined.rotation, whole.rotation)


def test_frames_are_passed_on_as_soon_as_they_are_known() -> None:
    seen = 0

    def pieces() -> list[Motion]:
        return [synthetic_motion(10), synthetic_motion(10)]

    for piece in retime(iter(pieces()), 50.0):
        seen = len(piece)
        break
    assert seen == 18  # those before the tenth frame


def test_rotations_turn_the_shortest_way() -> None:
    """Half-way between two rotations lies half the turn between them, about its own axis."""
    motion = Motion.rest(2)
    motion.rotation[:] = [[0.5, -0.6, 0.2], [-0.4, 0.7, -0.5]]
    middle = _whole(motion, 50.0).rotation[1]
    first, half, second = (
        rotation_matrix(r) for r in (*motion.rotation[:1], middle, motion.rotation[1])
    )
    np.testing.assert_allclose(first.T @ half, half.T @ second, atol=1e-6)


def test_rates_must_not_change_on_the_way() -> None:
    with pytest.raises(BadInput, match="fps"):
        list(retime([synthetic_motion(3, 25.0), synthetic_motion(3, 50.0)], 30.0))


def test_nothing_gives_nothing() -> None:
    assert list(retime([], 30.0)) == []
    assert list(retime([Motion.rest(0)], 30.0)) == []


@pytest.mark.parametrize("fps", [30.0, 50.0, 60.0])
def test_more_frames_are_smooth_and_in_sync(fps: float) -> None:
    """No frame repeats another, none jumps, and nothing lags behind the sound."""
    hz = 2.0
    motion = Motion.rest(100)
    seconds = np.arange(100) / 25
    motion.blendshapes[:, INDEX["jawOpen"]] = 0.5 + 0.4 * np.sin(2 * np.pi * hz * seconds)
    motion.rotation[:, 1] = 0.3 * seconds  # an even turn
    retimed = _whole(motion, fps)
    inside = np.arange(len(retimed)) / fps < 99 / 25
    turn = np.diff(retimed.rotation[inside, 1])
    np.testing.assert_allclose(turn, 0.3 / fps, rtol=1e-3)
    jaw = retimed.blendshapes[inside, INDEX["jawOpen"]].astype(np.float64)
    fastest = 0.4 * 2 * np.pi * hz / fps
    assert np.abs(np.diff(jaw)).max() <= 1.01 * fastest
    # The phase of the wave, by its Fourier component, as a time.
    at = np.arange(len(jaw)) / fps
    whole = at < 3.5  # seven periods
    wave = ((jaw[whole] - 0.5) * np.exp(-2j * np.pi * hz * at[whole])).sum()
    lag_s = (np.angle(1j * wave)) / (2 * np.pi * hz)
    assert abs(lag_s) < 1e-3


def test_a_film_of_60_fps_moves_in_every_frame() -> None:
    """Drawn from motion of 25 fps: frames are new ones, neither repeated nor mixed."""
    motion = Motion.rest(25)
    motion.rotation[:, 1] = np.linspace(-0.4, 0.4, 25)
    renderer = SplatRenderer(synthetic_avatar(), 128, driver=SyntheticDriver())
    retimed = _whole(motion, 60.0)
    pictures = [renderer.rgb(renderer.pose(retimed, k)).astype(int) for k in range(10, 30)]
    steps = [np.abs(b - a).mean() for a, b in pairwise(pictures)]
    assert min(steps) > 0.6 * max(steps)
