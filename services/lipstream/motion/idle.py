"""What a living face does beside speaking: blinks, gaze, sway, brows.

One small state that advances frame by frame; every random choice is a function of the seed and a
counter in the state. So chunks do not matter, and the same seed gives the same motion. Sessions
advance together: it is the calls that cost, not the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.face.arkit import INDEX
from lipstream.face.motion import Floats, Motion
from lipstream.motion.blink import BlinkState, advance_blink
from lipstream.motion.brows import BrowState, advance_brows
from lipstream.motion.emphasis import QUIET, EmphasisState, advance_emphasis
from lipstream.motion.gate import GateState, advance_gate
from lipstream.motion.gaze import GazeState, advance_gaze, eyes_in_head
from lipstream.motion.noise import Doubles
from lipstream.motion.sway import HeadPose, head_pose

__all__ = ["IdleState", "Voice", "alive"]

_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
_INNER_BROW = INDEX["browInnerUp"]
_OUTER_BROWS = [INDEX["browOuterUpLeft"], INDEX["browOuterUpRight"]]
_CHEEKS = [INDEX["cheekSquintLeft"], INDEX["cheekSquintRight"]]
_CHEEK_SHARE, _OUTER_SHARE = 0.12, 0.7

_LOUDEST = 4.0
_START = (
    *(0.0,),  # frame
    *(0.0, 10.0, 0.0),  # gate
    *(0.0, QUIET, 0.0, 0.0, 0.0),  # emphasis
    *(1.5, 0.0, 10.0, 0.0),  # blink
    *(0.8, 0.0, 0.0, 0.0),  # gaze
    *(10.0, 0.0, 0.0),  # brows
)
_ENDS = np.cumsum([1, 3, 5, 4, 4])


class Voice(NamedTuple):
    """What each frame of a session hears, from itself to the end of its look-ahead."""

    loudness: Floats  # [T] the highest
    speech: Floats  # [T] the probability


@dataclass(frozen=True, slots=True)
class IdleState:
    """Everything that the living face remembers from frame to frame."""

    numbers: Doubles  # [N] frame, gate, emphasis, blink, gaze, brows, each as it lists its own

    @classmethod
    def initial(cls) -> Self:
        return cls(np.array(_START))

    @classmethod
    def from_array(cls, numbers: NDArray[np.float64]) -> Self:
        """Of numbers that were saved.

        Raises:
            BadInput: they are no such state.
        """
        if numbers.shape != (len(_START),) or not np.isfinite(numbers).all():
            raise BadInput(f"A saved face holds {len(_START)} finite numbers, not {numbers.shape}.")
        return cls(numbers.astype(np.float64))


class _Frame(NamedTuple):
    """One frame of every session."""

    opening: Doubles  # [B] of the gate
    lids: Doubles  # [B]
    brows: Doubles  # [B]
    head: HeadPose
    eyes: tuple[Doubles, Doubles]  # [B], [B] yaw and pitch


def alive(
    mouths: Sequence[Floats],  # each [T, 52], T of its own
    voices: Sequence[Voice],
    states: Sequence[IdleState],
    *,
    seeds: Sequence[int],
    fps: float,
) -> list[tuple[Motion, IdleState]]:
    """Motion of the whole face from that of the mouth, and the state after it, of each session.

    Args:
        mouths: ARKit weights of the mouth, taken back where nobody speaks.
    """
    if not states:
        return []
    # Frames of all sessions in one row, session by session.
    counts = np.array([len(mouth) for mouth in mouths])
    ends = np.cumsum(counts)
    blendshapes = np.concatenate(mouths)
    # Whatever an encoder gives, a stress is over within seconds.
    heard = np.array([np.concatenate(level) for level in zip(*voices, strict=True)], np.float64)
    heard = np.clip(heard, -_LOUDEST, _LOUDEST)
    rotation = np.zeros((len(blendshapes), 3), np.float32)
    translation = np.zeros((len(blendshapes), 3), np.float32)
    gaze = np.zeros((len(blendshapes), 4), np.float32)
    numbers = np.stack([state.numbers for state in states])
    own = np.array(seeds, np.int64)
    for k in range(int(counts.max())):
        due = np.flatnonzero(counts > k)
        at = (ends - counts)[due] + k
        frame, numbers[due] = _advance(numbers[due], heard[:, at], own[due], 1 / fps)
        blendshapes[at] *= frame.opening[:, None].astype(np.float32)
        blendshapes[at[:, None], _BLINKS] = frame.lids[:, None]
        blendshapes[at[:, None], _CHEEKS] = _CHEEK_SHARE * frame.lids[:, None]
        blendshapes[at, _INNER_BROW] = frame.brows
        blendshapes[at[:, None], _OUTER_BROWS] = _OUTER_SHARE * frame.brows[:, None]
        rotation[at] = np.stack(frame.head[:3], axis=1)
        translation[at, :2] = np.stack(frame.head[3:], axis=1)
        gaze[at] = np.stack(2 * frame.eyes, axis=1)
    results = []
    for row, (end, count) in enumerate(zip(ends, counts, strict=True)):
        # Copies of their own: views would keep all sessions in memory.
        piece = slice(end - count, end)
        motion = Motion(
            blendshapes[piece].copy(),
            rotation[piece].copy(),
            translation[piece].copy(),
            gaze[piece].copy(),
            fps,
        )
        results.append((motion, IdleState(numbers[row].copy())))
    return results


def _advance(
    numbers: Doubles,  # [B, N]
    heard: Doubles,  # [2, B] loudness, speech
    seeds: NDArray[np.int64],  # [B]
    step_s: float,
) -> tuple[_Frame, Doubles]:
    """The faces one frame later."""
    (index,), *parts = np.split(numbers.T, _ENDS)
    gate, emphasis, blink, gaze, brows = parts
    time_s = index * step_s
    loudness, speech = heard
    gated = advance_gate(GateState(*gate), speech, loudness, step_s)
    stressed = advance_emphasis(EmphasisState(*emphasis), loudness, gated.speaking, step_s)
    blinked = advance_blink(
        BlinkState(*blink),
        seeds,
        speaking=gated.quiet_s == 0,
        pause_s=gated.quiet_s,
        step_s=step_s,
    )
    looking = advance_gaze(GazeState(*gaze), seeds, step_s)
    raised = advance_brows(BrowState(*brows), seeds, stressed.value, time_s, step_s)
    head = head_pose(seeds, time_s, emphasis=stressed.value, activity=stressed.activity)
    frame = _Frame(
        gated.opening,
        blinked.closure,
        raised.raised,
        head,
        eyes_in_head(looking, head.pitch, head.yaw),
    )
    after = [index + 1, *gated, *stressed, *blinked, *looking, *raised]
    return frame, np.stack(after, axis=1)
