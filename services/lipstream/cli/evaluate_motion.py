"""`lipstream evaluate motion`: generators on labelled speech, recorded faces and quiet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from lipstream.cli.console import console, progress_bars
from lipstream.cli.output import check_output
from lipstream.errors import BadInput, NotFound

if TYPE_CHECKING:
    from lipstream.evaluation.figures import Figures
    from lipstream.evaluation.progress import Progress
    from lipstream.evaluation.utterance import Utterance

__all__ = ["evaluate_motion_command"]

_LOOK_AHEAD_MS = 80
_LABEL_WIDTH, _COLUMN_WIDTH = 34, 11


def evaluate_motion_command(
    labelled: Annotated[
        Path | None, typer.Option(help="Folder of speech files with phone labels beside them.")
    ] = None,
    corpus: Annotated[
        Path | None, typer.Option(help="Folder of aligned speech, from `lipstream corpus align`.")
    ] = None,
    motion_corpus: Annotated[
        Path | None,
        typer.Option(help="Folder of recorded motion that `lipstream corpus inspect` knows."),
    ] = None,
    run: Annotated[
        list[Path] | None,
        typer.Option(help="Repeatable: folder of a run that was trained on the motion corpus."),
    ] = None,
    held_out: Annotated[
        bool, typer.Option(help="Of corpora, only what training did not look at.")
    ] = True,
    look_ahead_ms: Annotated[list[int] | None, typer.Option(help="Repeatable.")] = None,
    generator: Annotated[
        list[str] | None,
        typer.Option(help="Repeatable: streaming_talker; the baseline is always measured."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Folder for report.md and its plots.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="FILE.json: an object for each contender.")
    ] = None,
) -> None:
    """Do the lips say what is heard, does the face move as people do, does it rest?

    Beside the generators stand loudness alone, a still face, and the mouth that labels derive.
    """
    from lipstream.evaluation.motion_evaluation import Material, evaluate_motion, open_contenders

    if json_file:
        check_output(json_file, ".json")
    if report and report.exists() and not report.is_dir():
        raise BadInput(f"{report} is no folder.", remedy="Choose another name for the report.")
    if run and not motion_corpus:
        raise BadInput("--run needs --motion-corpus, the motion that it was trained on.")
    utterances = _speech(labelled, corpus, held_out=held_out)
    material = Material(utterances)
    about = [f"{len(utterances)} utterances of labelled speech, {_minutes(utterances):.1f} min"]
    about = about if utterances else []
    if motion_corpus:
        from lipstream.training.recorded_faces import open_recorded

        recorded = open_recorded(motion_corpus, run or [], held_out=held_out)
        material = Material(utterances, recorded)
        about.append(f"{recorded.count} clips of recorded motion: {recorded.layout}")
    contenders = open_contenders(generator or [], look_ahead_ms or [_LOOK_AHEAD_MS])
    with _shown_progress() as progress:
        evaluation = evaluate_motion(material, contenders, progress)
    for table in _tables(evaluation.figures):
        console.print(table)
    for note in evaluation.recorded.notes if evaluation.recorded else ():
        console.print(f"note: {note}", highlight=False)
    if json_file:
        document = {figures.name: figures.as_json() for figures in evaluation.figures}
        json_file.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    if report:
        from lipstream.evaluation.motion_report import write_motion_report

        paths = write_motion_report(evaluation, report, about)
        console.print(f"Wrote {paths[0]} and {len(paths) - 1} plots", highlight=False)


def _speech(labelled: Path | None, corpus: Path | None, *, held_out: bool) -> list[Utterance]:
    from lipstream.evaluation.labelled import is_dev_speaker, labelled_utterances
    from lipstream.evaluation.utterance import read_corpus

    for folder in (labelled, corpus):
        if folder and not folder.is_dir():
            raise NotFound(f"There is no folder {folder}.", remedy="Check the path.")
    utterances: list[Utterance] = []
    if labelled:
        utterances += labelled_utterances(labelled)
    if corpus:
        aligned = list(read_corpus(corpus))
        speakers = {u.speaker for u in aligned}
        kept = [u for u in aligned if not (held_out and is_dev_speaker(u.speaker, speakers))]
        if not kept:
            raise BadInput(
                f"All {len(speakers)} speakers of {corpus} served development; none is held out.",
                remedy="Use them all with --no-held-out.",
            )
        utterances += kept
    return utterances


def _minutes(utterances: list[Utterance]) -> float:
    return sum(u.duration_s for u in utterances) / 60


@contextmanager
def _shown_progress() -> Iterator[Progress]:
    """A bar for each stage."""
    with progress_bars() as bars:
        tasks: dict[str, object] = {}

        def progress(stage: str, share: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=1.0, note="")
            bars.update(tasks[stage], completed=share)  # type: ignore[arg-type]

        yield progress


def _tables(columns: tuple[Figures, ...]) -> Iterator[Table]:
    """As many contenders side by side as the terminal is wide."""
    from lipstream.evaluation.figure_table import figure_rows

    rows = list(figure_rows(columns))
    beside = max((console.width - _LABEL_WIDTH) // _COLUMN_WIDTH, 1)
    for first in range(0, len(columns), beside):
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        table.add_column("figure", no_wrap=True)
        for figures in columns[first : first + beside]:
            table.add_column(figures.name, justify="right", overflow="fold")
        for section, members in groupby(rows, key=lambda row: row.section):
            table.add_section()
            table.add_row(f"[bold]{section}[/bold]")
            for row in members:
                table.add_row(f"  {row.label}", *row.values[first : first + beside])
        yield table
