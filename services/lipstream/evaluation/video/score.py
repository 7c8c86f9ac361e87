"""The figures of clips that were watched, held against speech: their own, or a wrong one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np

from lipstream.errors import BadInput
from lipstream.evaluation.contenders import from_labels
from lipstream.evaluation.lip_track import RATE_HZ
from lipstream.evaluation.lips import Scored, score
from lipstream.evaluation.utterance import Utterance
from lipstream.evaluation.video.sight import Sight
from lipstream.face.motion import Floats
from lipstream.motion.phones import BILABIALS, LABIODENTALS, OPEN_VOWELS, SILENCE, VOWELS, Segment

__all__ = ["Held", "VideoScore", "mean_score", "score_video"]

_NEAR_S = 0.020

_Measure: TypeAlias = Callable[[Sight, Segment], float | None]


@dataclass(frozen=True, slots=True)
class Held:
    """A clip, held against speech."""

    sight: Sight
    speech: Utterance


@dataclass(frozen=True, slots=True)
class VideoScore:
    """Shares are 0..1 of the phones or frames concerned; a value without any phone is NaN."""

    clips: int
    pbm_count: float
    pbm_closed: float
    """lips shut (see `Sight`) within 20 ms of the phone"""
    pbm_gap_mm: float
    """median over p, b, m of the narrowest gap within 20 ms of the phone"""
    open_vowel_gap_mm: float
    """median over open vowels of the narrowest gap in the middle half of the phone"""
    pbm_nearer: float
    """chance that the lips are nearer in the middle half of a random p, b, m than of a random
    other phone (not f, v) of the same clip: needs no threshold and no rules; 0.5 is blind"""
    closed_on_open_vowels: float
    closed_on_other_consonants: float
    closed_elsewhere: float
    """of the frames 80 ms and more away from p, b, m, f, v and silence"""
    fv_thinner: float
    """chance that the lower lip shows less at a random f, v than at a random other consonant of
    the same clip: a proxy of the tuck under the teeth, weak"""
    rounded_narrower: float
    """chance that a random uw, o, w is narrower than a random iy, eh"""
    opening_r: float
    """correlation of the opening with the one that rules derive from the labels"""
    width_r: float
    jaw_r: float
    agreement: float
    """mean of `opening_r` and `width_r`: the figure that tells right speech from wrong best"""
    best_lag_ms: float
    """by which the mouth is late, from -250 to 250"""
    closure_offset_ms: float
    """median of (centre of the closure seen - centre of the closure labelled), of those seen"""
    closure_offset_iqr_ms: float


def score_video(items: Iterable[Held]) -> VideoScore:
    """Figures pooled over clips.

    Raises:
        BadInput: there is no speech to score.
    """
    items = list(items)
    result = score(
        Scored(item.sight.lips, from_labels(item.speech), item.speech.segments) for item in items
    )
    return VideoScore(
        clips=len(items),
        pbm_count=result.pbm_count,
        pbm_closed=result.pbm_closed,
        pbm_gap_mm=_median_gap_mm(items, BILABIALS, _nearest_mm),
        open_vowel_gap_mm=_median_gap_mm(items, OPEN_VOWELS, _middle_mm),
        pbm_nearer=_chance_below(items, _middle_gap, _is_bilabial, _is_other),
        closed_on_open_vowels=result.closed_on_open_vowels,
        closed_on_other_consonants=result.closed_on_other_consonants,
        closed_elsewhere=result.closed_elsewhere,
        fv_thinner=_chance_below(items, _lower_lip, _is_labiodental, _is_other_consonant),
        rounded_narrower=result.rounded_narrower,
        opening_r=result.aperture_r,
        width_r=result.rounding_r,
        jaw_r=result.jaw_r,
        agreement=(result.aperture_r + result.rounding_r) / 2,
        best_lag_ms=result.best_lag_ms,
        closure_offset_ms=result.closure_offset_ms,
        closure_offset_iqr_ms=result.closure_offset_iqr_ms,
    )


def mean_score(scores: Sequence[VideoScore]) -> VideoScore:
    """Mean of each figure over those that have it.

    Raises:
        BadInput: there is none.
    """
    if not scores:
        raise BadInput("There is no speech to score.")
    means: dict[str, Any] = {}
    for field in fields(VideoScore):
        values = np.array([getattr(s, field.name) for s in scores], np.float64)
        known = values[np.isfinite(values)]
        means[field.name] = float(known.mean()) if len(known) else float("nan")
    return VideoScore(**(means | {"clips": scores[0].clips}))


def _is_bilabial(symbol: str) -> bool:
    return symbol in BILABIALS


def _is_labiodental(symbol: str) -> bool:
    return symbol in LABIODENTALS


def _is_other(symbol: str) -> bool:
    return symbol not in BILABIALS | LABIODENTALS | {SILENCE}


def _is_other_consonant(symbol: str) -> bool:
    return _is_other(symbol) and symbol not in VOWELS


def _middle_gap(sight: Sight, segment: Segment) -> float | None:
    gap = _within(sight.lips.aperture, *_middle(segment))
    return float(gap.mean()) if len(gap) else None


def _lower_lip(sight: Sight, segment: Segment) -> float | None:
    height = _within(sight.lower_lip, segment.start_s, segment.end_s)
    return float(height.mean()) if len(height) else None


def _nearest_mm(sight: Sight, segment: Segment) -> float | None:
    gap_mm = _within(sight.gap_mm, segment.start_s - _NEAR_S, segment.end_s + _NEAR_S)
    return float(gap_mm.min()) if len(gap_mm) else None


def _middle_mm(sight: Sight, segment: Segment) -> float | None:
    gap_mm = _within(sight.gap_mm, *_middle(segment))
    return float(gap_mm.min()) if len(gap_mm) else None


def _middle(segment: Segment) -> tuple[float, float]:
    """Start and end of its middle half, s."""
    return segment.start_s + segment.duration_s / 4, segment.end_s - segment.duration_s / 4


def _median_gap_mm(items: Sequence[Held], symbols: frozenset[str], measure: _Measure) -> float:
    measured = [
        measure(item.sight, segment)
        for item in items
        for segment in item.speech.segments
        if segment.symbol in symbols
    ]
    known = [value for value in measured if value is not None]
    return float(np.median(known)) if known else float("nan")


def _within(curve: Floats, start_s: float, end_s: float) -> Floats:
    first = max(int(start_s * RATE_HZ), 0)
    return curve[first : max(int(end_s * RATE_HZ) + 1, first)]


def _chance_below(
    items: Sequence[Held],
    measure: _Measure,
    is_low: Callable[[str], bool],
    is_high: Callable[[str], bool],
) -> float:
    """Chance that a phone of the first kind measures less than one of the second in its clip."""
    below = total = 0.0
    for item in items:
        measured = [(s.symbol, measure(item.sight, s)) for s in item.speech.segments]
        low = np.array([v for symbol, v in measured if is_low(symbol) and v is not None])
        high = np.array([v for symbol, v in measured if is_high(symbol) and v is not None])
        difference = low[:, None] - high[None]
        below += float((difference < 0).sum() + (difference == 0).sum() / 2)
        total += difference.size
    return below / total if total else float("nan")
