"""How well one curve follows another: correlation, lag and amplitude over several recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.face.motion import Floats

__all__ = ["CurveAgreement", "CurvePair", "curve_agreement"]

_LONGEST_LAG_S = 0.25
_RATE_HZ = 100.0
_CONSTANT = 1e-3
"""Amplitude below which a prediction does not move, and so follows nothing."""


@dataclass(frozen=True, slots=True)
class CurvePair:
    """One recording; frame `i` is at `i / fps` seconds."""

    predicted: Floats  # [T]
    recorded: Floats  # [T]
    fps: float


@dataclass(frozen=True, slots=True)
class CurveAgreement:
    r: float
    """Correlation about each recording's own means; NaN where a curve is constant."""
    best_lag_ms: float
    """Delay of the prediction at which it correlates best, -250..250 ms; NaN likewise."""
    amplitude: float
    """Standard deviation of the prediction over that of the recording; NaN likewise."""


def curve_agreement(pairs: Sequence[CurvePair]) -> CurveAgreement:
    """Over all recordings together; those shorter than twice the longest lag count for nothing."""
    longest = round(_LONGEST_LAG_S * _RATE_HZ)
    dense = [(_dense(p.predicted, p.fps), _dense(p.recorded, p.fps)) for p in pairs]
    dense = [(p - p.mean(), r - r.mean()) for p, r in dense if len(r) > 2 * longest]
    if not dense:
        return CurveAgreement(float("nan"), float("nan"), float("nan"))
    power = sum(float(p @ p) for p, _ in dense), sum(float(r @ r) for _, r in dense)
    if not power[1]:
        return CurveAgreement(float("nan"), float("nan"), float("nan"))
    amplitude = float(np.sqrt(power[0] / power[1]))
    if amplitude < _CONSTANT:
        return CurveAgreement(float("nan"), float("nan"), amplitude)
    lags = range(-longest, longest + 1)
    products = [
        sum(
            float(p[longest + lag : len(p) - longest + lag] @ r[longest:-longest]) for p, r in dense
        )
        for lag in lags
    ]
    return CurveAgreement(
        r=sum(float(p @ r) for p, r in dense) / float(np.sqrt(power[0] * power[1])),
        best_lag_ms=lags[int(np.argmax(products))] * 1000 / _RATE_HZ,
        amplitude=amplitude,
    )


def _product(
    predicted: NDArray[np.float64], recorded: NDArray[np.float64], lag: int, longest: int
) -> float:
    """Of the recording without its ends and the prediction that much later."""
    later = predicted[longest + lag : len(predicted) - longest + lag]
    return float(later @ recorded[longest:-longest])


def _dense(curve: Floats, fps: float) -> NDArray[np.float64]:
    """At 100 Hz, linear between frames."""
    times_s = np.arange(int((len(curve) - 1) / fps * _RATE_HZ) + 1) / _RATE_HZ
    return np.interp(times_s, np.arange(len(curve)) / fps, curve.astype(np.float64))
