"""What controls ask of each frame, as numbers; a change of them is eased, never a jump."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lipstream.face.face_controls import EMOTIONS, FaceControls
from lipstream.motion.blink import BLINKS_PER_MIN
from lipstream.motion.noise import Doubles

__all__ = ["EMOTION", "STEER_COUNT", "Steer", "Steering", "steered"]

_EASE_S = 0.15


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
        keyframes = controls.emotion
        emotions = np.array(
            [[keyframe.weights.get(name, 0.0) for name in EMOTIONS] for keyframe in keyframes]
        ).reshape(len(keyframes), len(EMOTIONS))
        gaze = controls.gaze
        row = np.zeros(STEER_COUNT)
        if keyframes:
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

    def emotions_at(self, age_s: Doubles) -> Doubles:  # [T] -> [T, 10]
        """Smooth between the keyframes, at rest in each of them."""
        after = np.searchsorted(self.times_s, age_s, side="right")
        before = np.clip(after - 1, 0, None)
        after = np.minimum(after, len(self.times_s) - 1)
        span_s = np.maximum(self.times_s[after] - self.times_s[before], 1e-9)
        share = _eased((age_s - self.times_s[before]) / span_s)[:, None]
        start = self.emotions[before]
        return np.asarray(start + share * (self.emotions[after] - start))


def steered(
    steerings: Sequence[Steering],  # [B]
    former: Doubles,  # [B, 17] when the controls took effect
    counts: NDArray[np.intp],  # [B] frames of each session
    age_s: Doubles,  # [sum T] since then, session by session
) -> Doubles:  # [sum T, 17]
    """What is asked of frames of several sessions."""
    asked = np.repeat(np.stack([steering.row for steering in steerings]), counts, axis=0)
    ends = np.cumsum(counts)
    for row, steering in enumerate(steerings):
        if len(steering.times_s) > 1:
            own = slice(ends[row] - counts[row], ends[row])
            asked[own, EMOTION] = steering.emotions_at(age_s[own])
    before = np.repeat(former, counts, axis=0)
    return np.asarray(before + _eased(age_s / _EASE_S)[:, None] * (asked - before))


def _eased(share: Doubles) -> Doubles:
    x = np.clip(share, 0, 1)
    return np.asarray(x * x * (3 - 2 * x))
