"""What controls ask of each frame, as numbers; a change of them is eased, never a jump."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lipstream.face.face_controls import EMOTIONS, EmotionKeyframe, FaceControls
from lipstream.motion.blink import BLINKS_PER_MIN
from lipstream.motion.noise import Doubles

__all__ = ["EMOTION", "STEER_COUNT", "Steer", "Steering", "steered"]

_EASE_S = 0.15
_SHORTEST_S = 1e-3
_APART_S = 1e6
"""More than any keyframe's time."""


class Steer(IntEnum):
    """Columns behind the emotions."""

    MOUTH = len(EMOTIONS)
    HEAD = MOUTH + 1
    BLINKS = MOUTH + 2
    """Pace of the blinks, 1 as people blink."""
    WANDER = MOUTH + 3
    YAW = MOUTH + 4
    """Of the gaze, radians."""
    PITCH = MOUTH + 5
    DIRECTED = MOUTH + 6
    """1 where the gaze is given, so that no emotion turns it."""


EMOTION = slice(0, len(EMOTIONS))
STEER_COUNT = len(EMOTIONS) + len(Steer)


@dataclass(frozen=True, slots=True)
class Steering:
    """One session's controls, laid out for `steered`."""

    controls: FaceControls
    row: Doubles  # [17] at the beginning
    times_s: Doubles  # [K] of the keyframes
    emotions: Doubles  # [K, 10]

    @classmethod
    def of(cls, controls: FaceControls) -> Self:
        keyframes = controls.emotion or (EmotionKeyframe(),)
        emotions = np.array(
            [[keyframe.weights.get(name, 0.0) for name in EMOTIONS] for keyframe in keyframes]
        )
        gaze = controls.gaze
        row = np.zeros(STEER_COUNT)
        row[EMOTION] = emotions[0]
        row[Steer.MOUTH] = controls.mouth_strength
        row[Steer.HEAD] = controls.head_motion
        rate = controls.blink_rate
        row[Steer.BLINKS] = 1.0 if rate is None else rate / BLINKS_PER_MIN
        row[Steer.WANDER] = controls.gaze_wander
        if gaze is not None:
            row[Steer.YAW : Steer.PITCH + 1] = np.radians((gaze.yaw_deg, gaze.pitch_deg))
            row[Steer.DIRECTED] = 1
        return cls(controls, row, np.array([k.time_s for k in keyframes]), emotions)


def steered(
    steerings: Sequence[Steering],  # [B]
    former: Doubles,  # [B, 17] when the controls took effect
    counts: NDArray[np.intp],  # [B] frames of each session
    age_s: Doubles,  # [sum T] since then, session by session
) -> Doubles:  # [sum T, 17]
    """What is asked of frames of several sessions."""
    asked = np.repeat(np.stack([steering.row for steering in steerings]), counts, axis=0)
    if any(len(steering.times_s) > 1 for steering in steerings):
        asked[:, EMOTION] = _emotions(steerings, np.repeat(np.arange(len(counts)), counts), age_s)
    before = np.repeat(former, counts, axis=0)
    return np.asarray(before + _eased(age_s / _EASE_S)[:, None] * (asked - before))


def _emotions(
    steerings: Sequence[Steering],  # [B]
    owner: NDArray[np.intp],  # [T] session of each frame
    age_s: Doubles,  # [T]
) -> Doubles:  # [T, 10]
    """Smooth between the keyframes, at rest in each of them."""
    emotions = np.concatenate([steering.emotions for steering in steerings])
    ends = np.cumsum([len(steering.times_s) for steering in steerings])
    firsts = np.concatenate([[0], ends[:-1]])
    times_s = np.concatenate([steering.times_s for steering in steerings])
    # All sessions' keyframes on one line, far from each other's.
    line_s = times_s + np.repeat(np.arange(len(ends)), ends - firsts) * _APART_S
    place_s = np.minimum(age_s, _APART_S / 2) + owner * _APART_S
    after = np.searchsorted(line_s, place_s, side="right")
    before = np.maximum(after - 1, firsts[owner])
    after = np.minimum(after, ends[owner] - 1)
    span_s = np.maximum(times_s[after] - times_s[before], _SHORTEST_S)
    share = _eased((age_s - times_s[before]) / span_s)[:, None]
    return np.asarray(emotions[before] + share * (emotions[after] - emotions[before]))


def _eased(share: Doubles) -> Doubles:
    x = np.clip(share, 0, 1)
    return np.asarray(x * x * (3 - 2 * x))
