"""Landmarks of a face whose mouth does what it is told, to the fraction of a pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.evaluation.contenders import from_labels
from lipstream.evaluation.lip_track import RATE_HZ
from lipstream.evaluation.utterance import Utterance
from lipstream.evaluation.video.mouth import Mouth
from lipstream.face.head_frame import EYE_DISTANCE_MM
from lipstream.face.landmarks import LOWER_LIP, UPPER_LIP, Ring
from lipstream.face.steady import eye_distance_px
from tests.unit.face.person import landmarks

__all__ = ["act", "moved", "speak_on_camera"]

Doubles = NDArray[np.float64]

_WIDEST_MM = 30.0
_REST_WIDTH_MM = 50.0


def act(gap_mm: Doubles, width_mm: Doubles) -> Doubles:  # [T], [T] -> [T, 478, 3] pixels
    """An upright face whose lips are so far apart, and whose mouth is so wide."""
    face = landmarks()
    right, left = face[[33, 133], :2].mean(0), face[[263, 362], :2].mean(0)
    across = (left - right)[0] + 1j * (left - right)[1]
    upright = (face[:, 0] + 1j * face[:, 1]) * (abs(across) / across)
    face[:, 0], face[:, 1] = upright.real, upright.imag
    px_per_mm = eye_distance_px(face[None]) / EYE_DISTANCE_MM
    frames = np.repeat(face[None], len(gap_mm), axis=0)
    upper, lower = list(UPPER_LIP[Ring.INNER][1:-1]), list(LOWER_LIP[Ring.INNER][1:-1])
    frames[:, lower, 1] = frames[:, upper, 1] + gap_mm[:, None] * px_per_mm
    corners = [UPPER_LIP[Ring.BORDER][0], UPPER_LIP[Ring.BORDER][-1]]
    frames[:, corners, 1] = frames[:, corners, 1].mean()
    frames[:, corners[0], 0] = frames[:, corners, 0].mean() - width_mm * px_per_mm / 2
    frames[:, corners[1], 0] = frames[:, corners[0], 0] + width_mm * px_per_mm
    return frames


def moved(frames: Doubles, seed: int = 0) -> Doubles:  # [T, 478, 3] -> [T, 478, 3]
    """The same face turned, scaled and moved at random in each frame."""
    rng = np.random.default_rng(seed)
    count = len(frames)
    turn = rng.uniform(0.7, 1.4, count) * np.exp(1j * rng.uniform(-0.4, 0.4, count))
    place = rng.uniform(-50, 50, count) + 1j * rng.uniform(-50, 50, count)
    points = (frames[..., 0] + 1j * frames[..., 1]) * turn[:, None] + place[:, None]
    return np.stack([points.real, points.imag, frames[..., 2]], axis=-1)


def speak_on_camera(speech: Utterance, fps: float = 25.0, opens_mm: float = _WIDEST_MM) -> Mouth:
    """The mouth that rules derive for this speech, as a camera of `fps` would see it."""
    track = from_labels(speech)
    times_s = np.arange(int(speech.duration_s * fps)) / fps
    grid_s = np.arange(len(track)) / RATE_HZ
    gap_mm = opens_mm * np.interp(times_s, grid_s, track.aperture)
    width_mm = _REST_WIDTH_MM * (1 + 0.2 * np.interp(times_s, grid_s, track.width))
    return Mouth.from_landmarks(moved(act(gap_mm, width_mm)), times_s)
