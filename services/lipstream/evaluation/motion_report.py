"""The report of an evaluation: one Markdown page with its plots beside it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from lipstream.evaluation.figure_table import NOT_KNOWN, figure_rows
from lipstream.evaluation.motion_evaluation import MotionEvaluation
from lipstream.evaluation.motion_plots import Plot, draw_plots

__all__ = ["write_motion_report"]

_NAME = "report.md"
_MEANINGS = {
    "lip-sync": (
        "On labelled speech, seen at 100 Hz. **labels** is the mouth that the phone labels derive "
        "by rules of coarticulation, and so the ceiling; **loudness** a jaw that follows loudness. "
        "Closed: lips apart by less than 0.05 of the jaw's range within 20 ms of the phone. "
        "Elsewhere: at least 80 ms from p, b, m, f, v and silence. Rounded narrower: chance that "
        "a random uw, o, w is narrower than a random iy, eh. r is against the labels' mouth. "
        "Closure offset: median of the centre shown minus the centre labelled."
    ),
    "against the labels' mouth": (
        "The same speech as vertices of the reference face, against the mouth that the labels "
        "derive: a rule, not a person. It has no upper face, so there is no FDD."
    ),
    "against recorded motion": (
        "LVE: mean over frames of the largest squared distance of a lip vertex. FDD: standard "
        "deviation over time of the upper face's squared displacement, recording minus "
        "prediction, so positive is too still; |FDD| does not let clips cancel. MOD: mean "
        "difference of the mouth's opening. **still** never moves: an LVE near its own says that "
        "a prediction is worth little more than none. Amplitude is relative to the recording. "
        "Blendshapes become millimetres on one reference face with its eyes 63 mm apart; vertices "
        "stay in their corpus' unit."
    ),
    "head and voice": (
        "Mean over the head's beats (instants of rest between movements) of exp(-d² / 2σ²), d "
        "the time to the nearest peak of syllable energy, σ 0.1 s. Chance is the same head moved "
        "in time: only what exceeds it is in time with the voice."
    ),
    "takes under three seeds": (
        "Mean pairwise distance of the mouth's ARKit weights and of its opening between takes of "
        "the same speech; the lowest correlation of the opening between two takes."
    ),
    "at rest": (
        "Without speech. Moving: share of the frames in which any mouth shape is over 0.02. "
        "Residual: mean of the largest weight of any mouth shape. Pauses are labelled silences "
        "that are 15 dB under the speech, less 0.3 s at both ends."
    ),
}


def write_motion_report(
    evaluation: MotionEvaluation, folder: Path, about: Sequence[str]
) -> list[Path]:
    """Write `report.md` and its plots; returns the files.

    Args:
        about: lines that say what was evaluated on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plots = draw_plots(evaluation, folder)
    lines = ["# Motion evaluation", "", *(f"- {line}" for line in about)]
    if evaluation.recorded:
        lines += [f"- {note}" for note in evaluation.recorded.notes]
    names = [figures.name for figures in evaluation.figures]
    rows = list(figure_rows(evaluation.figures))
    for section, group in groupby(rows, key=lambda row: row.section):
        members = list(group)
        used = [k for k in range(len(names)) if any(row.values[k] != NOT_KNOWN for row in members)]
        lines += ["", f"## {section[0].upper()}{section[1:]}", "", _MEANINGS[section], ""]
        lines.append("| figure | " + " | ".join(names[k] for k in used) + " |")
        lines.append("|---" * (len(used) + 1) + "|")
        lines += [
            f"| {row.label} | " + " | ".join(row.values[k] for k in used) + " |" for row in members
        ]
        lines += _pictures([plot for plot in plots if plot.section == section])
    path = folder / _NAME
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return [path, *(folder / plot.file for plot in plots)]


def _pictures(plots: Sequence[Plot]) -> list[str]:
    return [line for plot in plots for line in ("", f"![{plot.title}]({plot.file})")]
