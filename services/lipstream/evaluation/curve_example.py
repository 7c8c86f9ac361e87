"""A few seconds of the mouth's opening, contender beside contender: what a report plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lipstream.evaluation.lip_track import RATE_HZ, LipTrack
from lipstream.face.motion import Floats
from lipstream.motion.phones import BILABIALS, LABIODENTALS, SILENCE, Segment

__all__ = ["CurveExample", "Mark", "labelled_example", "recorded_example"]

_LABELLED_S = 4.0
_RECORDED_S = 6.0
_LEAD_S = 0.15


@dataclass(frozen=True, slots=True)
class Mark:
    """A phone that the eye looks for."""

    start_s: float
    end_s: float
    symbol: str


@dataclass(frozen=True, slots=True)
class CurveExample:
    """Curves `# [T]` by contender, the reference first; frame `i` is at `start_s + i / fps`."""

    title: str
    quantity: str
    start_s: float
    fps: float
    curves: Mapping[str, Floats]
    marks: tuple[Mark, ...] = ()


def labelled_example(
    name: str, segments: Sequence[Segment], tracks: Mapping[str, LipTrack]
) -> CurveExample:
    """The beginning of an utterance, with its p, b, m, f, v.

    Args:
        tracks: by contender, the reference first.
    """
    spoken = [s for s in segments if s.symbol != SILENCE]
    start_s = max(spoken[0].start_s - _LEAD_S, 0.0) if spoken else 0.0
    first = round(start_s * RATE_HZ)
    last = first + round(_LABELLED_S * RATE_HZ)
    marks = tuple(
        Mark(s.start_s, s.end_s, s.symbol)
        for s in spoken
        if s.symbol in BILABIALS | LABIODENTALS and s.start_s * RATE_HZ < last
    )
    curves = {key: track.aperture[first:last] for key, track in tracks.items()}
    return CurveExample(
        name, "opening (1 = jaw wide open)", first / RATE_HZ, RATE_HZ, curves, marks
    )


def recorded_example(
    name: str, openings: Mapping[str, Floats], fps: float, unit: str
) -> CurveExample:
    """Some seconds from the first quarter of a take on.

    Args:
        openings: `# [T]` by contender, the recording first.
    """
    count = len(next(iter(openings.values())))
    first = count // 4
    last = first + round(_RECORDED_S * fps)
    quantity = f"opening ({unit})" if unit else "opening (the corpus' unit)"
    return CurveExample(
        name,
        quantity,
        first / fps,
        fps,
        {key: curve[first:last] for key, curve in openings.items()},
    )
