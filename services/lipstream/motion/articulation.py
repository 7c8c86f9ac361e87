"""Phones and their times -> articulatory controls, by the dominance model of coarticulation.

Each phone pulls every control towards a target with a strength that decays with the time to the
phone, and a control is the weighted mean of all pulls (M. Cohen, D. Massaro, "Modeling
Coarticulation in Synthetic Visual Speech", 1993). A bilabial's pull on `close` is overwhelming and
short, a vowel's on the jaw mild and long: so the lips shut completely on every p, b, m whatever
stands around them, while rounding spreads over the neighbours as in people.

This gives the targets of training, and the ceiling that evaluation measures generators against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.face.motion import Floats
from lipstream.motion.controls import CONTROL_COUNT, EVENTS, Control
from lipstream.motion.phones import (
    BILABIALS,
    LABIODENTALS,
    ROUNDED,
    SILENCE,
    SYMBOLS,
    TONGUE_SEEN,
    VOWELS,
    Segment,
    fill_silences,
)

__all__ = ["DENSE_RATE_HZ", "articulate", "articulate_dense", "to_frames"]

DENSE_RATE_HZ = 100

_REACH_S = 0.5
_FRAME_STEP = 4  # dense steps in a frame of 25 fps

# symbol: jaw, pucker, funnel, spread, upper up, lower down, tongue
_TARGETS: dict[str, tuple[float, ...]] = {
    "aa": (0.46, 0, 0.05, 0.05, 0.10, 0.35, 0),
    "ae": (0.42, 0, 0, 0.22, 0.18, 0.38, 0),
    "ah": (0.32, 0, 0.05, 0.05, 0.08, 0.28, 0),
    "ax": (0.20, 0.02, 0.03, 0.05, 0.05, 0.20, 0),
    "ao": (0.36, 0.35, 0.45, 0, 0.05, 0.20, 0),
    "eh": (0.30, 0, 0, 0.20, 0.12, 0.30, 0),
    "er": (0.20, 0.28, 0.28, 0, 0.10, 0.15, 0),
    "ih": (0.18, 0, 0, 0.20, 0.08, 0.25, 0),
    "iy": (0.11, 0, 0, 0.42, 0.10, 0.28, 0),
    "uh": (0.18, 0.45, 0.25, 0, 0.03, 0.10, 0),
    "uw": (0.12, 0.78, 0.30, 0, 0, 0.05, 0),
    "o": (0.24, 0.58, 0.40, 0, 0.02, 0.10, 0),
    "e": (0.20, 0, 0, 0.30, 0.10, 0.28, 0),
    "a": (0.44, 0, 0.02, 0.10, 0.12, 0.36, 0),
    "y": (0.12, 0.72, 0.30, 0.05, 0.02, 0.10, 0),
    "oe": (0.24, 0.55, 0.35, 0.02, 0.04, 0.15, 0),
    "t": (0.09, 0, 0, 0.08, 0.06, 0.22, 0),
    "d": (0.10, 0, 0, 0.06, 0.06, 0.22, 0),
    "n": (0.10, 0, 0, 0.06, 0.05, 0.20, 0),
    "s": (0.05, 0, 0.02, 0.22, 0.12, 0.34, 0),
    "z": (0.05, 0, 0.02, 0.20, 0.12, 0.34, 0),
    "sh": (0.06, 0.32, 0.48, 0, 0.18, 0.22, 0),
    "zh": (0.06, 0.32, 0.48, 0, 0.18, 0.22, 0),
    "ch": (0.06, 0.30, 0.45, 0, 0.16, 0.22, 0),
    "jh": (0.06, 0.30, 0.45, 0, 0.16, 0.22, 0),
    "k": (0.15, 0, 0, 0.04, 0.04, 0.18, 0),
    "g": (0.15, 0, 0, 0.04, 0.04, 0.18, 0),
    "ng": (0.15, 0, 0, 0.04, 0.04, 0.18, 0),
    "l": (0.17, 0, 0, 0.05, 0.06, 0.22, 0.4),
    "r": (0.13, 0.35, 0.28, 0, 0.06, 0.12, 0),
    "th": (0.13, 0, 0, 0.06, 0.10, 0.25, 1),
    "dh": (0.13, 0, 0, 0.06, 0.10, 0.25, 0.8),
    "h": (0.18, 0, 0, 0, 0.04, 0.18, 0),
    "x": (0.16, 0, 0, 0.04, 0.04, 0.18, 0),
    "w": (0.08, 0.85, 0.35, 0, 0, 0.02, 0),
    "j": (0.10, 0, 0, 0.35, 0.08, 0.25, 0),
    "f": (0.07, 0, 0, 0.05, 0.22, 0, 0),
    "v": (0.08, 0, 0, 0.05, 0.20, 0, 0),
    "p": (0.07, 0, 0, 0, 0, 0, 0),
    "b": (0.08, 0, 0, 0, 0, 0, 0),
    "m": (0.08, 0, 0, 0, 0, 0, 0),
    "q": (0.20, 0, 0, 0, 0.04, 0.18, 0),
    SILENCE: (0, 0, 0, 0, 0, 0, 0),
}
_TARGET_COLUMNS = [
    Control.JAW,
    Control.PUCKER,
    Control.FUNNEL,
    Control.SPREAD,
    Control.UPPER_UP,
    Control.LOWER_DOWN,
    Control.TONGUE,
]
_LIPS = slice(Control.PUCKER, Control.SPREAD + 1)
_ROUNDING = slice(Control.PUCKER, Control.FUNNEL + 1)
_PARTING = slice(Control.UPPER_UP, Control.LOWER_DOWN + 1)
_OPENING = [Control.JAW, Control.UPPER_UP, Control.LOWER_DOWN]


@dataclass(frozen=True, slots=True)
class _Pull:
    """How one phone pulls the controls."""

    target: NDArray[np.float64]  # [10]
    strength: NDArray[np.float64]  # [10]
    before_s: NDArray[np.float64]  # [10] time constant ahead of the phone
    after_s: NDArray[np.float64]  # [10] time constant behind it
    power: int  # 1: exponential decay, 2: Gaussian


def _pull(symbol: str) -> _Pull:
    target = np.zeros(CONTROL_COUNT)
    target[_TARGET_COLUMNS] = _TARGETS[symbol]
    strength = np.ones(CONTROL_COUNT)
    before_s = np.full(CONTROL_COUNT, 0.060)
    after_s = np.full(CONTROL_COUNT, 0.060)
    power = 1
    if symbol not in VOWELS:
        strength[Control.JAW] = 0.7
        strength[_LIPS] = 0.25
        strength[_PARTING] = 0.5
    if symbol in {"s", "z", "sh", "zh", "ch", "jh"}:
        strength[Control.JAW] = 1.8
        strength[_LIPS] = strength[_PARTING] = 1
    elif symbol in {"h", "x", "q"}:
        strength[:] = 0.12
    elif symbol in {"k", "g", "ng", "t", "d", "n", "l"}:
        strength[Control.JAW] = 0.5
        strength[_PARTING] = 0.35
    if symbol in {"sh", "zh", "ch", "jh", "r"} or symbol in ROUNDED:
        before_s[_ROUNDING], after_s[_ROUNDING] = 0.110, 0.080
        strength[_ROUNDING] = np.maximum(strength[_ROUNDING], 1.2)
    if symbol == "w":
        strength[_ROUNDING] = 3
        strength[Control.JAW] = 1.5
    if symbol in BILABIALS:
        power = 2
        target[Control.CLOSE] = 1
        target[Control.PRESS] = 0.30 if symbol == "m" else 0.40
        strength[Control.CLOSE], strength[Control.PRESS] = 25, 8
        strength[Control.JAW] = 0.8
        strength[_LIPS] = 0.05
        strength[_PARTING] = 2.5
        before_s[Control.CLOSE] = after_s[Control.CLOSE] = 0.017
        before_s[Control.PRESS] = after_s[Control.PRESS] = 0.025
        before_s[_PARTING] = after_s[_PARTING] = 0.035
    if symbol in LABIODENTALS:
        power = 2
        target[Control.TUCK] = 0.85
        strength[Control.TUCK] = 20
        strength[Control.JAW] = 1.6
        strength[_LIPS] = 0.2
        strength[_PARTING] = 3
        before_s[Control.TUCK] = after_s[Control.TUCK] = 0.030
        before_s[_PARTING] = after_s[_PARTING] = 0.040
    if symbol in TONGUE_SEEN:
        strength[Control.TONGUE] = 8
        before_s[Control.TONGUE] = after_s[Control.TONGUE] = 0.015
    if symbol == SILENCE:
        strength[:] = 0.6
        strength[_LIPS] = 0.35
        before_s[:], after_s[:] = 0.090, 0.100
    return _Pull(target, strength, before_s, after_s, power)


_PULLS: dict[str, _Pull] = {symbol: _pull(symbol) for symbol in SYMBOLS}


def _hold_s(segment: Segment) -> tuple[float, float]:
    """Start and end of the time in which the phone pulls with full strength."""
    start_s, end_s = segment.start_s, segment.end_s
    if segment.symbol in BILABIALS:
        # The label of a stop includes its burst, at which the lips already part.
        release_s = 0.012 if segment.symbol == "m" else 0.025
        return start_s + 0.005, max(end_s - release_s, start_s + 0.020)
    if segment.symbol in LABIODENTALS:
        return start_s + 0.010, max(end_s - 0.010, start_s + 0.020)
    return start_s + 0.3 * segment.duration_s, end_s - 0.3 * segment.duration_s


def _vowel_gains(
    segments: Sequence[Segment],
    samples: Floats | None,  # [S]
    sample_rate_hz: int,
) -> list[float]:
    """How much wider (> 1) or narrower each segment opens than its target: loudness, stress."""
    levels = []
    for segment in segments:
        level = 0.0
        if samples is not None and segment.symbol in VOWELS:
            first, last = (int(t * sample_rate_hz) for t in (segment.start_s, segment.end_s))
            piece = samples[first:last].astype(np.float64)
            level = float(np.sqrt(np.mean(piece**2))) if len(piece) else 0.0
        levels.append(level)
    audible = [level for level in levels if level > 0]
    median = float(np.median(audible)) if audible else 0.0
    gains = []
    for segment, level in zip(segments, levels, strict=True):
        gain = 1.0
        if segment.symbol in VOWELS:
            gain += 0.15 * segment.stress if segment.stress else -0.06
            if median > 0:
                gain *= float(np.clip((level / median) ** 0.3, 0.75, 1.25))
            # Undershoot: a short vowel does not reach its target.
            gain *= min(1.0, 0.75 + 0.25 * segment.duration_s / 0.060)
        gains.append(gain)
    return gains


def articulate_dense(
    segments: Sequence[Segment],
    duration_s: float,
    *,
    samples: Floats | None = None,  # [S]
    sample_rate_hz: int = 16_000,
) -> Floats:
    """Controls `# [T, 10]` at 100 Hz; row `k` is the mouth at `k / 100` seconds.

    Args:
        segments: phones in order of time; where there is none, there is silence.
        duration_s: length of the result.
        samples: the speech itself, whose loudness then scales how far vowels open.
        sample_rate_hz: rate of `samples`.
    """
    segments = fill_silences(segments, duration_s)
    count = round(duration_s * DENSE_RATE_HZ)
    times_s = np.arange(count) / DENSE_RATE_HZ
    pulled = np.zeros((count, CONTROL_COUNT))
    total = np.full((count, CONTROL_COUNT), 1e-4)
    gains = _vowel_gains(segments, samples, sample_rate_hz)
    for segment, gain in zip(segments, gains, strict=True):
        pull = _PULLS[segment.symbol]
        target = pull.target.copy()
        target[_OPENING] *= gain
        start_s, end_s = _hold_s(segment)
        first = max(int((start_s - _REACH_S) * DENSE_RATE_HZ), 0)
        last = min(int((end_s + _REACH_S) * DENSE_RATE_HZ) + 1, count)
        if last <= first:
            continue
        ahead_s = np.maximum(start_s - times_s[first:last], 0)[:, None]
        behind_s = np.maximum(times_s[first:last] - end_s, 0)[:, None]
        dominance = pull.strength * np.exp(
            -((ahead_s / pull.before_s) ** pull.power) - (behind_s / pull.after_s) ** pull.power
        )
        pulled[first:last] += dominance * target
        total[first:last] += dominance
    return _smooth(pulled / total).astype(np.float32)


def _smooth(dense: NDArray[np.float64]) -> NDArray[np.float64]:
    """Five-tap smoothing of all but the events, which must stay complete."""
    kernel = np.array([1, 2, 3, 2, 1]) / 9
    smooth = dense.copy()
    for control in Control:
        if control not in EVENTS and len(dense):
            padded = np.pad(dense[:, control], 2, "edge")
            smooth[:, control] = np.convolve(padded, kernel, "valid")
    return smooth


def to_frames(dense: Floats) -> Floats:
    """Controls `# [T, 10]` at 25 fps; frame `i` is the mouth at `i / 25` seconds.

    Events take their maximum over +-10 ms so that a closure between two frames is not lost; the
    rest take their mean.

    Args:
        dense: `# [4 T, 10]` at 100 Hz.
    """
    count = len(dense) // _FRAME_STEP
    if count == 0:
        return np.zeros((0, CONTROL_COUNT), np.float32)
    padded = np.pad(dense, ((1, 1), (0, 0)), "edge")
    around = np.stack([padded[k : k + _FRAME_STEP * count : _FRAME_STEP] for k in range(3)])
    frames: Floats = around.mean(0)
    for control in (*EVENTS, Control.PRESS):
        frames[:, control] = around[..., control].max(0)
    return frames


def articulate(
    segments: Sequence[Segment],
    duration_s: float,
    *,
    samples: Floats | None = None,  # [S]
    sample_rate_hz: int = 16_000,
) -> Floats:
    """Controls `# [T, 10]` at 25 fps of speech with known phones; see `articulate_dense`."""
    dense = articulate_dense(segments, duration_s, samples=samples, sample_rate_hz=sample_rate_hz)
    return to_frames(dense)
