"""What a living face does beside speaking: blinks, gaze, sway, brows, and what controls ask of it.

One small state that advances frame by frame; every random choice is a function of the seed and a
counter in the state. So chunks do not matter, and the same seed gives the same motion. Sessions
advance together: it is the calls that cost, not the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
from lipstream.motion.sway import head_pose

__all__ = ["Voice", "alive"]

_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
_INNER_BROW = INDEX["browInnerUp"]
_OUTER_BROWS = [INDEX["browOuterUpLeft"], INDEX["browOuterUpRight"]]
_CHEEKS = [INDEX["cheekSquintLeft"], INDEX["cheekSquintRight"]]
_CHEEK_SHARE, _OUTER_SHARE = 0.12, 0.7

_LOUDEST = 4.0
_ENDS = np.cumsum([1, 3, 5, 4, 4])


class Voice(NamedTuple):
    """What each frame of a session hears, from itself to the end of its look-ahead."""

    loudness: Floats  # [T] the highest
    speech: Floats  # [T] the probability


class _Living(NamedTuple):
    """Frames of several sessions in one row, session by session."""

    opening: Doubles  # [T] of the gate
    lids: Doubles  # [T]
    brows: Doubles  # [T]
    emphasis: Doubles  # [T]
    activity: Doubles  # [T]
    yaw: Doubles  # [T] of the gaze, relative to the direction of the viewer
    pitch: Doubles  # [T]


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
    numbers = np.stack([state.numbers for state in states])
    own = np.array(seeds, np.int64)
    first = numbers[:, FRAME] - (ends - counts)
    frame = np.arange(ends[-1]) + np.repeat(first, counts)
    age_s = (frame - np.repeat([state.since for state in states], counts)) / fps
    asked = steered(
        [state.steering for state in states],
        np.stack([state.former for state in states]),
        counts,
        age_s,
    )
    living = np.zeros((len(_Living._fields), len(frame)))
    for k in range(int(counts.max())):
        due = np.flatnonzero(counts > k)
        at = (ends - counts)[due] + k
        living[:, at], numbers[due] = _advance(
            numbers[due], heard[:, at], asked[at, Steer.BLINKS], own[due], 1 / fps
        )
    whole = _moved(
        np.concatenate(mouths), _Living(*living), asked, np.repeat(own, counts), frame / fps, fps
    )
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
        results.append((motion, replace(state, numbers=numbers[row].copy())))
    return results


def _advance(
    numbers: Doubles,  # [B, N]
    heard: Doubles,  # [2, B] loudness, speech
    pace: Doubles,  # [B] of the blinks
    seeds: NDArray[np.int64],  # [B]
    step_s: float,
) -> tuple[_Living, Doubles]:
    """The faces one frame later."""
    (index,), *parts = np.split(numbers.T, _ENDS)
    gate, emphasis, blink, gaze, brows = parts
    loudness, speech = heard
    gated = advance_gate(GateState(*gate), speech, loudness, step_s)
    stressed = advance_emphasis(EmphasisState(*emphasis), loudness, gated.speaking, step_s)
    blinked = advance_blink(
        BlinkState(*blink),
        seeds,
        speaking=gated.quiet_s == 0,
        pause_s=gated.quiet_s,
        pace=pace,
        step_s=step_s,
    )
    looking = advance_gaze(GazeState(*gaze), seeds, step_s)
    raised = advance_brows(BrowState(*brows), seeds, stressed.value, index * step_s, step_s)
    after = [index + 1, *gated, *stressed, *blinked, *looking, *raised]
    frame = _Living(
        gated.opening,
        blinked.closure,
        raised.raised,
        stressed.value,
        stressed.activity,
        looking.yaw,
        looking.pitch,
    )
    return frame, np.stack(after, axis=1)


def _moved(
    mouths: Floats,  # [T, 10]
    living: _Living,
    asked: Doubles,  # [T, 17]
    seeds: NDArray[np.int64],  # [T]
    time_s: Doubles,  # [T]
    fps: float,
) -> Motion:
    """The frames as they are seen."""
    if (asked[:, Steer.MOUTH] != 1).any():
        mouths = strengthened(mouths, asked[:, Steer.MOUTH])
    blendshapes = to_blendshapes(mouths) * living.opening[:, None].astype(np.float32)
    blendshapes[:, _BLINKS] = living.lids[:, None]
    blendshapes[:, _CHEEKS] = _CHEEK_SHARE * living.lids[:, None]
    blendshapes[:, _INNER_BROW] = living.brows
    blendshapes[:, _OUTER_BROWS] = _OUTER_SHARE * living.brows[:, None]
    head = head_pose(
        seeds,
        time_s,
        emphasis=living.emphasis,
        activity=living.activity,
        amount=asked[:, Steer.HEAD],
    )
    rotation = np.stack(head[:3], axis=1)
    translation = np.stack([*head[3:], np.zeros_like(head.side)], axis=1)
    looking = np.stack([living.yaw, living.pitch], axis=1) * asked[:, Steer.WANDER, None]
    looking += asked[:, Steer.YAW : Steer.PITCH + 1]
    if asked[:, EMOTION].any():
        weights = with_breath(asked[:, EMOTION], time_s)
        blendshapes = expressed(blendshapes, mouths, living.opening, living.lids, weights)
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
