"""Plots of an evaluation, as PNG files: drawn without a display, by Agg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lipstream.evaluation.curve_example import CurveExample
from lipstream.evaluation.figures import Figures
from lipstream.evaluation.lips import LipScore
from lipstream.evaluation.motion_evaluation import MotionEvaluation
from lipstream.evaluation.trials.quiet import QuietTrial

__all__ = ["Plot", "draw_plots"]

_DPI = 110
_LEGEND_INCHES = 2.3
_REFERENCE_COLOR = "black"
_MARK_COLORS = ("#9a9a9a", "#c9a227")
_COLORS = ("#0b6e99", "#d1495b", "#66a182", "#7c5cbf", "#e28413", "#4f5d75", "#2e9cca", "#a23b72")
_MARKS = ("loudness", "still")
_WANTED = (
    ("p, b, m\nclosed", "pbm_closed"),
    ("f, v\ntucked", "fv_tucked"),
    ("tongue at\nl, th", "tongue_seen"),
    ("rounded\nnarrower", "rounded_narrower"),
    ("width, r", "rounding_r"),
    ("opening, r", "aperture_r"),
    ("jaw, r", "jaw_r"),
)
_FALSE = (
    ("closed on\nopen vowels", "closed_on_open_vowels"),
    ("closed on\nt d k g n s z l th", "closed_on_other_consonants"),
    ("closed\nelsewhere", "closed_elsewhere"),
    ("tucked\nelsewhere", "tucked_elsewhere"),
    ("tongue\nelsewhere", "tongue_elsewhere"),
)


@dataclass(frozen=True, slots=True)
class Plot:
    section: str
    """Of the report."""
    title: str
    file: str


def draw_plots(evaluation: MotionEvaluation, folder: Path) -> list[Plot]:
    """All plots for which there are figures, written into the folder."""
    colors = _colors([figures.name for figures in evaluation.figures])
    plots = []

    def save(figure: Figure, section: str, title: str, file: str) -> None:
        FigureCanvasAgg(figure)
        figure.savefig(folder / file, dpi=_DPI)
        plots.append(Plot(section, title, file))

    synced = {f.name: f.lip_sync for f in evaluation.figures if f.lip_sync}
    if synced:
        save(_event_bars(synced, colors), "lip-sync", "Events of the lips", "events.png")
    for section, trial, stem in (
        ("lip-sync", evaluation.labelled, "opening"),
        ("against recorded motion", evaluation.recorded, "recorded"),
    ):
        for number, example in enumerate(trial.examples if trial else (), 1):
            title = f"Opening of the mouth, {example.title}"
            save(_curves(example, colors), section, title, f"{stem}_{number}.png")
    if panels := _distance_panels(evaluation.figures):
        figure = _distance_bars(evaluation.figures, panels, colors)
        save(figure, "against recorded motion", "Distance from recorded motion", "distance.png")
    save(_residuals(evaluation.quiet, colors), "at rest", "What is left of motion", "rest.png")
    return plots


def _colors(names: Sequence[str]) -> dict[str, str]:
    colors = dict(zip(_MARKS, _MARK_COLORS, strict=True))
    colors |= {"labels": _REFERENCE_COLOR, "recorded": _REFERENCE_COLOR}
    others = [name for name in names if name not in colors]
    return colors | {name: _COLORS[k % len(_COLORS)] for k, name in enumerate(others)}


def _event_bars(scores: Mapping[str, LipScore], colors: Mapping[str, str]) -> Figure:
    figure = Figure(figsize=(11, 4), layout="constrained")
    wanted, wrong = figure.subplots(1, 2, width_ratios=(len(_WANTED), len(_FALSE)))
    for axes, fields, title in (
        (wanted, _WANTED, "Wanted (1 is best)"),
        (wrong, _FALSE, "False (0 is best)"),
    ):
        rows = {name: [getattr(score, f) for _, f in fields] for name, score in scores.items()}
        _grouped(axes, [label for label, _ in fields], rows, colors)
        axes.set_title(title)
    wanted.set_ylim(min(0.0, wanted.get_ylim()[0]), 1.02)
    _legend(figure, wanted)
    return figure


def _distance_panels(figures: Sequence[Figures]) -> list[tuple[str, str]]:
    """Title and field of those metrics for which there is a number."""
    scores = [f.against_recorded for f in figures if f.against_recorded]
    unit = (scores[0].unit if scores else "") or "corpus' unit"
    panels = (
        (f"LVE ({unit}²), 0 is best", "lve"),
        (f"|FDD| ({unit}²), 0 is best", "fdd_absolute"),
        (f"MOD ({unit}), 0 is best", "mod"),
        ("opening, r, 1 is best", "opening_r"),
    )
    return [p for p in panels if any(np.isfinite(_number(getattr(s, p[1]))) for s in scores)]


def _distance_bars(
    figures: Sequence[Figures], panels: Sequence[tuple[str, str]], colors: Mapping[str, str]
) -> Figure:
    scores = {f.name: f.against_recorded for f in figures if f.against_recorded}
    figure = Figure(figsize=(3.2 * len(panels), 3.6), layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, field) in zip(grid, panels, strict=True):
        rows = {name: [_number(getattr(score, field))] for name, score in scores.items()}
        _grouped(axes, [""], rows, colors)
        axes.set_title(title, fontsize=10)
    _legend(figure, grid[0])
    return figure


def _legend(figure: Figure, axes: Any) -> None:
    """Of one of its panels, below them all, in as many columns as there is room for."""
    handles, labels = axes.get_legend_handles_labels()
    columns = max(int(figure.get_figwidth() / _LEGEND_INCHES), 1)
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, frameon=False, fontsize=9
    )


def _grouped(
    axes: Any,
    labels: Sequence[str],
    rows: Mapping[str, Sequence[float]],
    colors: Mapping[str, str],
) -> None:
    """Bars by contender within each label."""
    width = 0.8 / max(len(rows), 1)
    for k, (name, values) in enumerate(rows.items()):
        offset = (k - (len(rows) - 1) / 2) * width
        places = np.arange(len(labels)) + offset
        axes.bar(places, np.nan_to_num(values), 0.92 * width, color=colors[name], label=name)
        for place, value in zip(places, values, strict=True):
            if np.isnan(value):
                axes.text(place, 0, "none", ha="center", va="bottom", fontsize=8)
    axes.set_xticks(np.arange(len(labels)), labels, fontsize=8)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _curves(example: CurveExample, colors: Mapping[str, str]) -> Figure:
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    axes = figure.subplots()
    reference = next(iter(example.curves))
    for name, curve in example.curves.items():
        if name == "still":
            continue
        times_s = example.start_s + np.arange(len(curve)) / example.fps
        style: dict[str, Any] = {"lw": 2.2, "alpha": 0.85} if name == reference else {"lw": 1.3}
        if name == "loudness":
            style = {"lw": 1.0, "ls": ":"}
        axes.plot(times_s, curve, color=colors[name], label=name, **style)
    for mark in example.marks:
        bilabial = mark.symbol in "pbm"
        color = "#d1495b" if bilabial else "#66a182"
        axes.axvspan(mark.start_s, mark.end_s, color=color, alpha=0.18, lw=0)
        middle_s = (mark.start_s + mark.end_s) / 2
        axes.text(
            middle_s, 1.0, mark.symbol, ha="center", va="bottom", fontsize=9,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    last_s = example.start_s + (len(example.curves[reference]) - 1) / example.fps
    axes.set_xlim(example.start_s, last_s)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("time (s)")
    axes.set_ylabel(example.quantity)
    axes.set_title(example.title, fontsize=10, loc="left", pad=18 if example.marks else 6)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
    return figure


def _residuals(quiet: QuietTrial, colors: Mapping[str, str]) -> Figure:
    sounds = list(next(iter(quiet.residuals.values())))
    figure = Figure(figsize=(11, 1.35 * len(sounds) + 0.8), layout="constrained")
    grid = figure.subplots(len(sounds), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, sound in zip(grid, sounds, strict=True):
        # Lines that lie on each other show as a thin one on a thick one.
        width = 1.4 + 0.8 * len(quiet.residuals)
        for name, by_sound in quiet.residuals.items():
            times_s = np.arange(len(by_sound[sound])) / quiet.fps
            width -= 0.8
            style: dict[str, Any] = (
                {"lw": 0.7, "alpha": 0.7} if name == "loudness" else {"lw": width}
            )
            axes.plot(times_s, by_sound[sound], color=colors[name], label=name, **style)
            axes.set_xlim(0, times_s[-1])
        axes.set_title(sound, fontsize=9, loc="left")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    grid[0].set_ylim(-0.03, None)
    grid[-1].set_xlabel("time (s)")
    figure.supylabel("largest weight of any mouth shape", fontsize=9)
    _legend(figure, grid[0])
    return figure


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
