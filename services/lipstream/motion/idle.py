"""What a living face does beside speaking: blinks, gaze, sway, brows, and what controls ask of it.

One small state that advances frame by frame; every random choice is a function of the seed and a
counter in the state. So chunks do not matter, and the same seed gives the same motion. The state
of a frame is a few plain numbers; what is as wide as a face is computed for all frames at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from lipstream.face.arkit import INDEX
from lipstream.face.motion import Floats, Motion
from lipstream.motion.blink import BlinkState, advance_blink
from lipstream.motion.brows import BrowState, advance_brows
from lipstream.motion.controls import strengthened, to_blendshapes
from lipstream.motion.emotions import LEANS, with_breath
from lipstream.motion.emphasis import EmphasisState, advance_emphasis
from lipstream.motion.expression import expressed
from lipstream.motion.gate import GateState, advance_gate
from lipstream.motion.gaze import GazeState, advance_gaze, eyes_in_head
from lipstream.motion.idle_state import FRAME, IdleState
from lipstream.motion.noise import Doubles
from lipstream.motion.steering import EMOTION, Steer, steered
from lipstream.motion.sway import head_poses

__all__ = ["Voice", "alive"]

_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
_INNER_BROW = INDEX["browInnerUp"]
_OUTER_BROWS = [INDEX["browOuterUpLeft"], INDEX["browOuterUpRight"]]
_CHEEKS = [INDEX["cheekSquintLeft"], INDEX["cheekSquintRight"]]
_CHEEK_SHARE, _OUTER_SHARE = 0.12, 0.7

_LOUDEST = 4.0
_GATE, _EMPHASIS, _BLINK = slice(1, 4), slice(4, 9), slice(9, 13)
_GAZE, _BROWS = slice(13, 17), slice(17, 20)


class Voice(NamedTuple):
    """What each frame of a session hears, from itself to the end of its look-ahead."""

    loudness: Floats  # [T] the highest
    speech: Floats  # [T] the probability


class _Living(NamedTuple):
    """What lives in a frame."""

    opening: float
    """Of the gate."""
    lids: float
    brows: float
    yaw: float
    """Of the gaze, relative to the direction of the viewer."""
    pitch: float
    emphasis: float
    activity: float


_LOOKING, _ROTATION, _SHIFT = slice(3, 5), slice(0, 3), slice(3, 5)
_EMPHASIS_PLACE, _ACTIVITY_PLACE = 5, 6


def alive(
    mouths: Sequence[Floats],  # each [T, 10], T of its own
    voices: Sequence[Voice],
    states: Sequence[IdleState],
    *,
    seeds: Sequence[int],
    fps: float,
) -> list[tuple[Motion, IdleState]]:
    """Motion of the whole face from that of the mouth, and the state after it, of each session.

    Args:
        mouths: articulatory controls, taken back where nobody speaks.
    """
    if not states:
        return []
    # Frames of all sessions in one row, session by session.
    counts = np.array([len(mouth) for mouth in mouths])
    ends = np.cumsum(counts)
    # Whatever an encoder gives, a stress is over within seconds.
    heard = np.array([np.concatenate(level) for level in zip(*voices, strict=True)], np.float64)
    heard = np.clip(heard, -_LOUDEST, _LOUDEST)
    first = np.array([state.numbers[FRAME] for state in states]) - (ends - counts)
    frame = np.arange(ends[-1]) + np.repeat(first, counts)
    age_s = (frame - np.repeat([state.since for state in states], counts)) / fps
    asked = steered(
        [state.steering for state in states],
        np.stack([state.former for state in states]),
        counts,
        age_s,
    )
    moments = zip(heard.T.tolist(), asked[:, Steer.BLINKS].tolist(), strict=True)
    living, after = [], []
    for state, seed, count in zip(states, seeds, counts, strict=True):
        numbers = state.numbers.tolist()
        for sound, pace in islice(moments, int(count)):
            lived, numbers = _advance(numbers, seed, sound, pace, 1 / fps)
            living.append(lived)
        after.append(np.array(numbers))
    lives = np.array(living).reshape(-1, len(_Living._fields))
    heads = head_poses(
        [seed for seed, count in zip(seeds, counts, strict=True) for _ in range(count)],
        frame * (1 / fps),
        emphasis=lives[:, _EMPHASIS_PLACE],
        activity=lives[:, _ACTIVITY_PLACE],
        amount=asked[:, Steer.HEAD],
    )
    whole = _moved(np.concatenate(mouths), lives, heads, asked, frame / fps, fps)
    results = []
    for row, (state, end, count) in enumerate(zip(states, ends, counts, strict=True)):
        # Copies of their own: views would keep all sessions in memory.
        piece = slice(end - count, end)
        motion = Motion(
            whole.blendshapes[piece].copy(),
            whole.rotation[piece].copy(),
            whole.translation[piece].copy(),
            whole.gaze[piece].copy(),
            fps,
        )
        results.append((motion, replace(state, numbers=after[row])))
    return results


def _advance(
    numbers: list[float],  # [N]
    seed: int,
    heard: Sequence[float],
    pace: float,
    step_s: float,
) -> tuple[_Living, list[float]]:
    """A face one frame later.

    Args:
        heard: loudness, speech.
        pace: of the blinks.
    """
    loudness, speech = heard
    time_s = numbers[FRAME] * step_s
    gated = advance_gate(GateState(*numbers[_GATE]), speech, loudness, step_s)
    stressed = advance_emphasis(
        EmphasisState(*numbers[_EMPHASIS]), loudness, gated.speaking, step_s
    )
    blinked = advance_blink(
        BlinkState(*numbers[_BLINK]),
        seed,
        speaking=gated.quiet_s == 0,
        pause_s=gated.quiet_s,
        pace=pace,
        step_s=step_s,
    )
    looking = advance_gaze(GazeState(*numbers[_GAZE]), seed, step_s)
    raised = advance_brows(BrowState(*numbers[_BROWS]), seed, stressed.value, time_s, step_s)
    living = _Living(
        *(gated.opening, blinked.closure, raised.raised, looking.yaw, looking.pitch),
        *(stressed.value, stressed.activity),
    )
    return living, [numbers[FRAME] + 1, *gated, *stressed, *blinked, *looking, *raised]


def _moved(
    mouths: Floats,  # [T, 10]
    living: Doubles,  # [T, 7] rows of `_Living`
    heads: Doubles,  # [T, 5] of `head_poses`
    asked: Doubles,  # [T, 17]
    time_s: Doubles,  # [T]
    fps: float,
) -> Motion:
    """The frames as they are seen."""
    opening, lids, brows = living[:, : _LOOKING.start].T
    if (asked[:, Steer.MOUTH] != 1).any():
        mouths = strengthened(mouths, asked[:, Steer.MOUTH])
    blendshapes = to_blendshapes(mouths) * opening[:, None].astype(np.float32)
    blendshapes[:, _BLINKS] = lids[:, None]
    blendshapes[:, _CHEEKS] = _CHEEK_SHARE * lids[:, None]
    blendshapes[:, _INNER_BROW] = brows
    blendshapes[:, _OUTER_BROWS] = _OUTER_SHARE * brows[:, None]
    rotation = heads[:, _ROTATION]
    translation = np.zeros((len(living), 3))
    translation[:, :2] = heads[:, _SHIFT]
    looking = living[:, _LOOKING] * asked[:, Steer.WANDER, None]
    looking += asked[:, Steer.YAW : Steer.PITCH + 1]
    if asked[:, EMOTION].any():
        weights = with_breath(asked[:, EMOTION], time_s)
        blendshapes = expressed(blendshapes, mouths, opening, lids, weights)
        lean = np.einsum("te,el->tl", weights, LEANS)
        rotation += lean[:, :3]
        translation += lean[:, 3:6]
        looking += (1 - asked[:, Steer.DIRECTED, None]) * lean[:, 6:]
    eyes = eyes_in_head(looking, rotation[:, 1::-1])
    return Motion(
        blendshapes,
        rotation.astype(np.float32),
        translation.astype(np.float32),
        np.tile(eyes, 2).astype(np.float32),
        fps,
    )
