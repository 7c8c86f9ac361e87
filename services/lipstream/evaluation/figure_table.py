"""The figures as rows of text, for terminals and reports alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lipstream.evaluation.figures import Figures
from lipstream.evaluation.pauses import PAUSES

__all__ = ["NOT_KNOWN", "FigureRow", "figure_rows"]

NOT_KNOWN = "–"
Read = Callable[[Figures], Any]


@dataclass(frozen=True, slots=True)
class FigureRow:
    section: str
    label: str
    """With its unit."""
    values: tuple[str, ...]
    """One for each contender."""


_LIP_SYNC: tuple[tuple[str, str], ...] = (
    ("p, b, m labelled", "pbm_count"),
    ("p, b, m closed", "pbm_closed"),
    ("closed on open vowels", "closed_on_open_vowels"),
    ("closed on t d k g n s z l th", "closed_on_other_consonants"),
    ("closed elsewhere", "closed_elsewhere"),
    ("f, v tucked", "fv_tucked"),
    ("tucked elsewhere", "tucked_elsewhere"),
    ("tongue seen at l, th", "tongue_seen"),
    ("tongue seen elsewhere", "tongue_elsewhere"),
    ("rounded narrower", "rounded_narrower"),
    ("mouth width, r", "rounding_r"),
    ("opening, r", "aperture_r"),
    ("jaw, r", "jaw_r"),
    ("best lag, ms", "best_lag_ms"),
    ("closure offset, ms", "closure_offset_ms"),
    ("its quartile range, ms", "closure_offset_iqr_ms"),
)
_REST = (("frames", "frames"), ("moving", "moving_share"), ("residual", "residual"))
_BEATS = (
    ("beat consistency", "consistency"),
    ("by chance", "chance"),
    ("head beats a second", "motion_beats_per_s"),
    ("voice beats a second", "audio_beats_per_s"),
)
_DIVERSITY = (
    ("mouth's weights", "mouth"),
    ("opening", "aperture"),
    ("lowest agreement, r", "agreement_r"),
)


def figure_rows(figures: Sequence[Figures]) -> Iterator[FigureRow]:
    """Rows in order; those that no contender has a figure for are left out."""
    for section, label, read in _readers(figures):
        values = tuple(_text(read(column), label) for column in figures)
        if any(value != NOT_KNOWN for value in values):
            yield FigureRow(section, label, values)


def _readers(figures: Sequence[Figures]) -> Iterator[tuple[str, str, Read]]:
    for label, field in _LIP_SYNC:
        yield "lip-sync", label, _reader("lip_sync", field)
    for section, part in (
        ("against the labels' mouth", "against_labels"),
        ("against recorded motion", "against_recorded"),
    ):
        units = {score.unit for f in figures if (score := getattr(f, part)) is not None}
        unit = "/".join(sorted(units)) or "the corpus' unit"
        for label, field in (
            ("compared, s", "duration_s"),
            (f"LVE, {unit}²", "lve"),
            (f"FDD, {unit}²", "fdd"),
            (f"|FDD|, {unit}²", "fdd_absolute"),
            (f"MOD, {unit}", "mod"),
            ("opening, r", "opening_r"),
            ("opening, lag, ms", "opening_lag_ms"),
            ("opening, amplitude", "opening_amplitude"),
        ):
            yield section, label, _reader(part, field)
    for label, field in _BEATS:
        yield "head and voice", label, _reader("beats", field)
    for label, field in _DIVERSITY:
        yield "takes under three seeds", label, _reader("diversity", field)
    for sound in dict.fromkeys(sound for column in figures for sound in column.rest):
        for label, field in _REST if sound == PAUSES else _REST[1:]:
            yield "at rest", f"{sound}: {label}", _rest_reader(sound, field)


def _reader(part: str, field: str) -> Read:
    return lambda figures: getattr(getattr(figures, part), field, None)


def _rest_reader(sound: str, field: str) -> Read:
    return lambda figures: getattr(figures.rest.get(sound), field, None)


def _text(value: float | int | None, label: str) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return NOT_KNOWN
    if isinstance(value, int):
        return f"{value}"
    if label.endswith(", ms"):
        return f"{value:.1f}"
    if value and abs(value) < 1e-3:
        return f"{value:.2e}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
