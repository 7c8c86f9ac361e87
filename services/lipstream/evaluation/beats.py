"""Beat consistency: does the head move in time with the voice.

Definition. Audio beats are the peaks of syllable energy: local maxima of the square root of the
mel energy, smoothed by a Gaussian of 40 ms, that stand out by at least 15 % of the recording's
95th percentile and lie 0.2 s apart. Motion beats are the instants at which the head rests for a
moment between two movements: local minima of its angular speed, smoothed by a Gaussian of 80 ms,
that lie at least 1 degree a second under the movement around them (kinematic beats as in AIST++,
Li et al., ICCV 2021). The consistency is the mean over the motion beats of
`exp(-d^2 / (2 sigma^2))`, d the distance to the nearest audio beat, sigma 0.1 s.

Syllables come so often that any head scores well. So the same head moved in time, by eighths of
the recording, is scored beside it: what is above that chance is what the head owes to the voice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from lipstream.audio.mel import HOP_SAMPLES, WINDOW_SAMPLES, log_mel
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.face.motion import Motion

__all__ = ["SIGMA_S", "BeatScore", "BeatTally", "audio_beats_s", "closeness", "motion_beats_s"]

SIGMA_S = 0.1
_HOP_S = HOP_SAMPLES / SAMPLE_RATE_HZ
_CENTRE_S = _HOP_S - WINDOW_SAMPLES / SAMPLE_RATE_HZ / 2
_VOICE_SMOOTH_S, _HEAD_SMOOTH_S = 0.04, 0.08
_PROMINENCE, _APART_S = 0.15, 0.2
_PAUSE_DEG_PER_S = 1.0
_SHIFTS = 8

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BeatScore:
    consistency: float
    """0..1; NaN where the head has no beats."""
    chance: float
    """That of the same head moved in time."""
    motion_beats_per_s: float
    audio_beats_per_s: float


def audio_beats_s(samples: Samples) -> Times:  # [S] at 16 kHz -> [B]
    """Instants of the peaks of syllable energy."""
    level = np.sqrt(np.exp(log_mel(samples).astype(np.float64)).sum(axis=1))
    if len(level) < 3:
        return np.zeros(0)
    smooth = gaussian_filter1d(level, _VOICE_SMOOTH_S / _HOP_S)
    scale = float(np.percentile(smooth, 95))
    if scale <= 0:
        return np.zeros(0)
    peaks, _ = find_peaks(smooth, prominence=_PROMINENCE * scale, distance=_APART_S / _HOP_S)
    return np.asarray(peaks * _HOP_S + _CENTRE_S, np.float64)


def motion_beats_s(motion: Motion) -> Times:  # [B]
    """Instants at which the head rests between two movements."""
    if len(motion) < 4:
        return np.zeros(0)
    smooth = gaussian_filter1d(
        np.rad2deg(motion.rotation.astype(np.float64)), _HEAD_SMOOTH_S * motion.fps, axis=0
    )
    speed = np.linalg.norm(np.diff(smooth, axis=0), axis=1) * motion.fps
    rests, _ = find_peaks(-speed, prominence=_PAUSE_DEG_PER_S)
    return np.asarray((rests + 0.5) / motion.fps, np.float64)


def closeness(motion_beats: Times, audio_beats: Times) -> Times:  # [M], [A] -> [M]
    """`exp(-d^2 / (2 sigma^2))` of each motion beat; 0 where there is no audio beat."""
    if not len(audio_beats) or not len(motion_beats):
        return np.zeros(len(motion_beats))
    distance_s = np.abs(motion_beats[:, None] - audio_beats[None]).min(axis=1)
    return np.asarray(np.exp(-(distance_s**2) / (2 * SIGMA_S**2)), np.float64)


class BeatTally:
    """Recordings of speech, as they are heard and seen."""

    def __init__(self) -> None:
        self._close: list[Times] = []
        self._by_chance: list[Times] = []
        self._audio_beats = 0
        self._duration_s = 0.0

    def add(self, samples: Samples, motion: Motion) -> None:
        heard, seen = audio_beats_s(samples), motion_beats_s(motion)
        duration_s = len(motion) / motion.fps
        self._close.append(closeness(seen, heard))
        for k in range(1, _SHIFTS):
            moved = np.mod(seen + k * duration_s / _SHIFTS, max(duration_s, 1e-9))
            self._by_chance.append(closeness(moved, heard))
        self._audio_beats += len(heard)
        self._duration_s += duration_s

    def score(self) -> BeatScore:
        close = np.concatenate([*self._close, np.zeros(0)])
        by_chance = np.concatenate([*self._by_chance, np.zeros(0)])
        seconds = max(self._duration_s, 1e-9)
        return BeatScore(
            consistency=float(close.mean()) if len(close) else float("nan"),
            chance=float(by_chance.mean()) if len(by_chance) else float("nan"),
            motion_beats_per_s=len(close) / seconds,
            audio_beats_per_s=self._audio_beats / seconds,
        )
