"""Do the lips say what is heard: events at labelled phones, and curves against a derived mouth.

Events matter most, since viewers miss them most: lips that stay open on p, b, m, or shut where
they must not. Correlations with the rule-derived mouth are a check of sanity; real people score
about .6.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.evaluation.lip_track import RATE_HZ, LipTrack
from lipstream.face.motion import Floats
from lipstream.motion.phones import (
    BILABIALS,
    LABIODENTALS,
    NEVER_CLOSED,
    OPEN_VOWELS,
    SILENCE,
    TONGUE_SEEN,
    Segment,
)

__all__ = ["LipScore", "Scored", "score"]

_SHUT = 0.05
"""Aperture below which lips read as closed."""
_TUCKED = 0.4
_TONGUE = 0.2
"""Of a tongue that lies between the teeth, at which its tip is halfway up behind them."""
_ROUNDED_TARGETS = frozenset({"uw", "w", "o"})
_SPREAD_TARGETS = frozenset({"iy", "eh"})
_NEAR_S = 0.020
_GUARD_S = 0.080
_SEARCH_S = 0.150
_MARGIN_S = 0.100
_LONGEST_LAG = 25


@dataclass(frozen=True, slots=True)
class Scored:
    """One utterance: what was generated, what the labels derive, and the labels."""

    predicted: LipTrack
    reference: LipTrack
    segments: Sequence[Segment]


@dataclass(frozen=True, slots=True)
class LipScore:
    """Shares are 0..1 of the phones or frames concerned; a value without any phone is NaN."""

    pbm_count: int
    pbm_closed: float
    closed_on_open_vowels: float
    closed_on_other_consonants: float
    """t d k g n s z l th, in their middle, away from p, b, m, f, v and silence"""
    closed_elsewhere: float
    """of the frames that are away from p, b, m, f, v and silence"""
    fv_tucked: float
    tucked_elsewhere: float
    """of the frames of speech that are away from f, v"""
    tongue_seen: float
    """at l, th, dh"""
    tongue_elsewhere: float
    """of the frames of speech that are away from them"""
    rounded_narrower: float
    """chance that a random uw, o, w is narrower than a random iy, eh"""
    rounding_r: float
    aperture_r: float
    jaw_r: float
    best_lag_ms: int
    closure_offset_ms: float
    """median of (centre of the closure shown - centre of the closure labelled)"""
    closure_offset_iqr_ms: float


class _Tally:
    """Numbers gathered over the utterances."""

    def __init__(self) -> None:
        self.pbm: list[bool] = []
        self.open_vowels: list[bool] = []
        self.consonants: list[bool] = []
        self.tucked: list[bool] = []
        self.tucked_elsewhere: list[NDArray[np.bool_]] = []
        self.tongue: list[bool] = []
        self.tongue_elsewhere: list[NDArray[np.bool_]] = []
        self.offsets_s: list[float] = []
        self.round_widths: list[float] = []
        self.spread_widths: list[float] = []
        self.elsewhere: list[NDArray[np.bool_]] = []
        self.curves: list[NDArray[np.float64]] = []  # [6, T] predicted and reference, centred

    def add(self, item: Scored) -> None:
        count = min(len(item.predicted), len(item.reference))
        spoken = [s for s in item.segments if s.symbol != SILENCE]
        if count < 2 or not spoken:
            return
        opening = item.predicted.aperture[:count]
        clear = _away(item.segments, BILABIALS | LABIODENTALS | {SILENCE}, count)
        for segment in item.segments:
            self._add_segment(segment, item.predicted, opening, clear, count)
        first, last = spoken[0].start_s - _MARGIN_S, spoken[-1].end_s + _MARGIN_S
        speech = _span(first, last, count)
        self.elsewhere.append((opening[speech] < _SHUT)[clear[speech]])
        untucked = _away(item.segments, LABIODENTALS, count)[speech]
        self.tucked_elsewhere.append((item.predicted.tuck[:count][speech] > _TUCKED)[untucked])
        hidden = _away(item.segments, TONGUE_SEEN, count)[speech]
        self.tongue_elsewhere.append((item.predicted.tongue[:count][speech] > _TONGUE)[hidden])
        pairs = [
            (getattr(item.predicted, name)[speech], getattr(item.reference, name)[speech])
            for name in ("aperture", "jaw", "width")
        ]
        rows = [row - row.mean() for pair in pairs for row in pair]
        self.curves.append(np.array(rows, np.float64))

    def _add_segment(
        self,
        segment: Segment,
        predicted: LipTrack,
        opening: Floats,
        clear: NDArray[np.bool_],
        count: int,
    ) -> None:
        near = _span(segment.start_s - _NEAR_S, segment.end_s + _NEAR_S, count)
        quarter_s = segment.duration_s / 4
        middle = _span(segment.start_s + quarter_s, segment.end_s - quarter_s, count)
        if near.stop <= near.start or middle.stop <= middle.start:
            return
        symbol = segment.symbol
        if symbol in BILABIALS:
            shut = bool(opening[near].min() < _SHUT)
            self.pbm.append(shut)
            if shut:
                self.offsets_s.append(_closure_offset_s(segment, opening))
        elif symbol in LABIODENTALS:
            self.tucked.append(bool(predicted.tuck[near].max() > _TUCKED))
        elif symbol in OPEN_VOWELS and segment.duration_s >= 0.06:
            self.open_vowels.append(bool((opening[middle] < _SHUT).any()))
        elif symbol in NEVER_CLOSED and clear[middle].all():
            self.consonants.append(bool((opening[middle] < _SHUT).any()))
        if symbol in TONGUE_SEEN:
            self.tongue.append(bool(predicted.tongue[near].max() > _TONGUE))
        if segment.duration_s >= 0.05:
            if symbol in _ROUNDED_TARGETS:
                self.round_widths.append(float(predicted.width[middle].mean()))
            elif symbol in _SPREAD_TARGETS:
                self.spread_widths.append(float(predicted.width[middle].mean()))


def score(items: Iterable[Scored]) -> LipScore:
    """Score generated lips against labelled speech.

    Raises:
        BadInput: there is no speech to score.
    """
    tally = _Tally()
    for item in items:
        tally.add(item)
    if not tally.curves:
        raise BadInput("There is no labelled speech to score.")
    aperture, aperture_ref, jaw, jaw_ref, width, width_ref = np.concatenate(tally.curves, axis=1)
    lags = range(-_LONGEST_LAG, _LONGEST_LAG + 1)
    inner = slice(_LONGEST_LAG, len(aperture) - _LONGEST_LAG)
    at_lag = [_correlation(np.roll(aperture, -lag)[inner], aperture_ref[inner]) for lag in lags]
    offsets_ms = 1000 * np.array(tally.offsets_s or [np.nan])
    quartiles = np.percentile(offsets_ms, [25, 75])
    return LipScore(
        pbm_count=len(tally.pbm),
        pbm_closed=_share(tally.pbm),
        closed_on_open_vowels=_share(tally.open_vowels),
        closed_on_other_consonants=_share(tally.consonants),
        closed_elsewhere=_share(np.concatenate(tally.elsewhere)),
        fv_tucked=_share(tally.tucked),
        tucked_elsewhere=_share(np.concatenate(tally.tucked_elsewhere)),
        tongue_seen=_share(tally.tongue),
        tongue_elsewhere=_share(np.concatenate(tally.tongue_elsewhere)),
        rounded_narrower=_chance_below(tally.round_widths, tally.spread_widths),
        rounding_r=_correlation(width, width_ref),
        aperture_r=_correlation(aperture, aperture_ref),
        jaw_r=_correlation(jaw, jaw_ref),
        best_lag_ms=lags[int(np.argmax(at_lag))] * 1000 // RATE_HZ,
        closure_offset_ms=float(np.median(offsets_ms)),
        closure_offset_iqr_ms=float(quartiles[1] - quartiles[0]),
    )


def _span(start_s: float, end_s: float, count: int) -> slice:
    first = min(max(int(start_s * RATE_HZ), 0), count)
    return slice(first, min(max(int(end_s * RATE_HZ) + 1, first), count))


def _away(segments: Sequence[Segment], symbols: frozenset[str], count: int) -> NDArray[np.bool_]:
    """Steps that are at least 80 ms away from all phones of `symbols`. `# [count]`"""
    away = np.ones(count, bool)
    for segment in segments:
        if segment.symbol in symbols:
            away[_span(segment.start_s - _GUARD_S, segment.end_s + _GUARD_S, count)] = False
    return away


def _closure_offset_s(segment: Segment, opening: Floats) -> float:
    """Between the centres of the closure that is shown nearest to the label, and the label."""
    centre_s = (segment.start_s + segment.end_s - 0.02) / 2  # the label ends after the burst
    span = _span(segment.start_s - _SEARCH_S, segment.end_s + _SEARCH_S, len(opening))
    shut = np.flatnonzero(opening[span] < _SHUT) + span.start
    nearest = int(np.abs(shut / RATE_HZ - centre_s).argmin())
    runs = np.cumsum(np.diff(shut, prepend=shut[0]) > 1)
    run = shut[runs == runs[nearest]]
    return float((run[0] + run[-1]) / 2 / RATE_HZ - centre_s)


def _share(flags: Sequence[bool] | NDArray[np.bool_]) -> float:
    return float(np.mean(flags)) if len(flags) else float("nan")


def _chance_below(first: Sequence[float], second: Sequence[float]) -> float:
    if not first or not second:
        return float("nan")
    difference = np.array(first)[:, None] - np.array(second)[None]
    return float(np.mean(difference < 0) + np.mean(difference == 0) / 2)


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-12))
