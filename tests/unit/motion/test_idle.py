"""The face beside its mouth: statistics, ranges, independence of chunks."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from lipstream.errors import BadInput
from lipstream.face.arkit import INDEX
from lipstream.face.motion import Floats, Motion
from lipstream.motion.controls import CONTROL_COUNT
from lipstream.motion.gate import GateState, advance_gate
from lipstream.motion.idle import Voice, alive
from lipstream.motion.idle_state import IdleState
from lipstream.motion.noise import normal, smooth_noise, smooth_noises, uniform

_FPS = 25.0
_SHUT = GateState(0.0, 10.0, 0.0)


def _voice(seconds: float, speaking: bool) -> tuple[Floats, Floats]:
    """Loudness and probability of speech: phrases of three seconds, or silence."""
    count = int(seconds * _FPS)
    if not speaking:
        return np.zeros(count, np.float32), np.zeros(count, np.float32)
    times_s = np.arange(count) / _FPS
    phrase = (times_s % 4.0 < 3.2).astype(np.float32)
    loudness = phrase * (0.75 + 0.2 * np.sin(2 * np.pi * 2.3 * times_s)).astype(np.float32)
    return loudness, 0.95 * phrase


@functools.cache
def _lives(*, speaking: bool) -> list[Motion]:
    """Ten minutes in five sessions."""
    voice = Voice(*_voice(120, speaking))
    mouth = np.zeros((len(voice.loudness), CONTROL_COUNT), np.float32)
    states = [IdleState.initial() for _ in range(5)]
    lives = alive([mouth] * 5, [voice] * 5, states, seeds=list(range(5)), fps=_FPS)
    return [motion for motion, _ in lives]


def _alone(
    mouth: Floats, loudness: Floats, speech: Floats, state: IdleState, *, seed: int
) -> tuple[Motion, IdleState]:
    return alive([mouth], [Voice(loudness, speech)], [state], seeds=[seed], fps=_FPS)[0]


def _blinks(motion: Motion) -> tuple[int, list[int]]:
    """Count of blinks, and their frames above one tenth."""
    lids = motion.blendshapes[:, INDEX["eyeBlinkLeft"]]
    shut = np.flatnonzero((lids[1:] > 0.5) & (lids[:-1] <= 0.5))
    lowered = np.flatnonzero(lids > 0.1)
    runs = np.split(lowered, np.flatnonzero(np.diff(lowered) > 1) + 1)
    return len(shut), [len(run) for run in runs]


def test_a_face_rises_with_the_stress_of_its_voice() -> None:
    count = int(4 * _FPS)
    loudness = np.where(np.arange(count) < 2 * _FPS, 0.4, 0.9).astype(np.float32)
    mouth, speech = np.zeros((count, CONTROL_COUNT), np.float32), np.ones(count, np.float32)
    even = np.full(count, 0.4, np.float32)
    stressed, level = (
        _alone(mouth, heard, speech, IdleState.initial(), seed=3)[0] for heard in (loudness, even)
    )
    risen_deg = np.degrees(stressed.rotation - level.rotation)
    assert np.abs(risen_deg[: int(2 * _FPS)]).max() < 0.01
    assert 0.5 < risen_deg[:, 0].max() <= 1.0
    assert np.abs(risen_deg[:, 1:]).max() < 0.01


@pytest.mark.parametrize("speaking", [True, False])
def test_blinks_come_at_a_human_rate(speaking: bool) -> None:
    lives = _lives(speaking=speaking)
    counts, lengths = zip(*map(_blinks, lives), strict=True)
    assert 12 <= sum(counts) / 10 <= 22  # a minute
    assert 5 <= np.median(np.concatenate(lengths)) <= 10  # frames of 40 ms
    for motion in lives:
        assert motion.blendshapes[:, INDEX["eyeBlinkLeft"]].max() > 0.9


def test_blinks_close_faster_than_they_open() -> None:
    lids = _lives(speaking=False)[0].blendshapes[:, INDEX["eyeBlinkLeft"]].astype(np.float64)
    change = np.diff(lids)
    assert change.max() > 1.5 * -change.min()


@pytest.mark.parametrize("session", range(5))
def test_head_and_eyes_stay_slight_and_do_not_drift(session: int) -> None:
    motion = _lives(speaking=True)[session]
    degrees = np.degrees(motion.rotation)
    assert np.abs(degrees).max() < 5.0
    assert degrees.std(axis=0).min() > 0.15
    halves = [np.abs(part).mean() for part in np.split(degrees[: len(degrees) // 2 * 2], 2)]
    assert halves[0] == pytest.approx(halves[1], rel=0.5)
    assert np.degrees(np.abs(motion.gaze)).max() < 12
    assert np.abs(motion.translation).max() < 4


def test_brows_rise_with_some_accents_of_speech_and_rest_in_silence() -> None:
    brow = INDEX["browInnerUp"]
    for speaking, lowest, highest in ((True, 0.12, 1.0), (False, 0.0, 0.06)):
        highest_seen = max(
            motion.blendshapes[:, brow].max() for motion in _lives(speaking=speaking)
        )
        assert lowest <= highest_seen < highest


def test_chunks_equal_the_whole_exactly() -> None:
    loudness, speech = _voice(20, True)
    mouth = np.random.default_rng(0).random((len(loudness), CONTROL_COUNT)).astype(np.float32)
    whole, end = _alone(mouth, loudness, speech, IdleState.initial(), seed=9)
    state = IdleState.initial()
    parts = []
    for first in range(0, len(loudness), 13):
        piece = slice(first, first + 13)
        motion, state = _alone(mouth[piece], loudness[piece], speech[piece], state, seed=9)
        state = IdleState.from_arrays(state.arrays())
        parts.append(motion)
    chunked = Motion.concatenate(parts)
    for name in ("blendshapes", "rotation", "translation", "gaze"):
        assert np.array_equal(getattr(whole, name), getattr(chunked, name))
    assert np.array_equal(state.numbers, end.numbers)


def test_sessions_together_move_as_each_alone() -> None:
    sizes, seeds = (7, 0, 31, 12), (4, 5, 6, 1 << 62)
    loudness, speech = _voice(2, True)
    mouths = [np.full((size, CONTROL_COUNT), 0.5, np.float32) for size in sizes]
    voices = [Voice(loudness[:size], speech[:size]) for size in sizes]
    states = [IdleState.initial() for _ in sizes]
    together = alive(mouths, voices, states, seeds=seeds, fps=_FPS)
    for mouth, voice, state, seed, (motion, after) in zip(
        mouths, voices, states, seeds, together, strict=True
    ):
        alone, end = _alone(mouth, *voice, state, seed=seed)
        for name in ("blendshapes", "rotation", "translation", "gaze"):
            assert np.array_equal(getattr(alone, name), getattr(motion, name))
        assert np.array_equal(after.numbers, end.numbers)


def test_damaged_states_are_refused() -> None:
    arrays = IdleState.initial().arrays()
    damaged = arrays["idle"].copy()
    damaged[3] = np.nan
    for name, wrong in (("idle", arrays["idle"][:-1]), ("idle", damaged), ("former", damaged)):
        with pytest.raises(BadInput, match="finite numbers"):
            IdleState.from_arrays({**arrays, name: wrong})
    with pytest.raises(BadInput, match="controls"):
        IdleState.from_arrays({**arrays, "controls": np.frombuffer(b'{"joy": 1}', np.uint8)})


def test_gate_opens_at_once_holds_and_closes() -> None:
    state = _SHUT
    openings = []
    for frame in range(60):
        speech = 0.9 if 10 <= frame < 20 else 0.05
        state = advance_gate(state, speech, 0.8, 0.04)
        openings.append(state.opening)
    assert max(openings[:10]) == 0
    assert openings[12] == 1
    assert openings[22] == 1  # held through a short pause
    assert max(openings[34:]) == 0


def test_inaudible_sound_never_opens_the_gate() -> None:
    state = _SHUT
    for _ in range(50):
        state = advance_gate(state, 1.0, 0.05, 0.04)
    assert state.opening == 0


def test_noise_is_uniform_normal_and_smooth() -> None:
    values = np.array([uniform(7, 1, k) for k in range(4000)])
    assert 0 <= values.min() <= values.max() < 1
    assert np.histogram(values, 10, (0, 1))[0].min() > 300
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.05
    normals = np.array([normal(7, 2, k) for k in range(4000)])
    assert abs(normals.mean()) < 0.08
    assert normals.std() == pytest.approx(1, abs=0.06)
    curve = np.array([smooth_noise(7, 3, k / 50) for k in range(2000)])
    assert np.abs(np.diff(curve)).max() < 0.1
    assert np.abs(curve).max() <= 1


@pytest.mark.parametrize("seeds", [[7], [0, 7, (1 << 63) - 1]])
def test_many_noises_are_the_single_ones_to_the_bit(seeds: list[int]) -> None:
    streams = [3, 402]
    positions = np.random.default_rng(0).uniform(0, 1e5, (len(seeds), 2))
    many = smooth_noises(seeds, streams, positions)
    for row, seed in enumerate(seeds):
        for column, stream in enumerate(streams):
            assert many[row, column] == smooth_noise(seed, stream, positions[row, column])
