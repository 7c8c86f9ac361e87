"""`lipstream corpus inspect`: what a folder of speech or motion holds, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lipstream.errors import BadInput
from lipstream.evaluation.utterance import read_corpus
from lipstream.training.corpora.motion_clip import MotionCorpus
from lipstream.training.corpora.recognise import open_motion_corpus
from lipstream.training.corpora.survey import faulty_clips, survey

__all__ = ["inspect"]

_console = Console()
_SHOWN = 5


def inspect(
    folder: Annotated[
        Path, typer.Argument(help="Folder of shards, or of motion in any known format.")
    ] = Path("data/corpus"),
    kind: Annotated[str, typer.Option(help="Of a folder of shards, those of this name.")] = "",
    fps: Annotated[
        float | None, typer.Option(help="Frame rate, where the files do not say it.", min=1)
    ] = None,
    load: Annotated[
        bool, typer.Option("--load", help="Load every clip of motion and name those at fault.")
    ] = False,
) -> None:
    """Show clips, subjects, hours, rate and shape of a corpus.

    Motion: VOCASET and BIWI, keyed weights with arkit_mapping.csv, Live Link Face takes, FLAME
    sequences of DiffPoseTalk or ARTalk. Speech: what `lipstream corpus` builds.
    """
    if kind or _holds_shards(folder):
        _show_speech(folder, kind)
        return
    corpus = open_motion_corpus(folder, fps=fps)
    _show_motion(corpus, folder)
    if load:
        _show_faults(corpus)


def _holds_shards(folder: Path) -> bool:
    """Shards are named `<kind>-0000.npz`."""
    return any(folder.glob("*-[0-9][0-9][0-9][0-9].npz"))


def _show_speech(folder: Path, kind: str) -> None:
    rows: dict[str, list[float]] = {}
    voices: dict[str, set[str]] = {}
    kinds = sorted({path.name.rpartition("-")[0] for path in folder.glob("*-*.npz")})
    for name in [k for k in kinds if kind in ("", k)] or [kind]:
        figures = rows.setdefault(name, [0, 0, 0])
        for utterance in read_corpus(folder, f"{name}-" if name else ""):
            figures[0] += 1
            figures[1] += utterance.duration_s
            figures[2] += len(utterance.segments)
            voices.setdefault(name, set()).add(utterance.speaker)
    table = Table(title=f"Speech in {folder}")
    for column in ("corpus", "utterances", "voices", "hours", "phones"):
        table.add_column(column, justify="left" if column == "corpus" else "right")
    for name, (count, seconds, phones) in rows.items():
        voice_count = len(voices.get(name, ()))
        table.add_row(
            name, f"{count:,}", f"{voice_count}", f"{seconds / 3600:.2f}", f"{phones:,.0f}"
        )
    _console.print(table)


def _show_motion(corpus: MotionCorpus, folder: Path) -> None:
    figures = survey(corpus)
    table = Table(title=f"Motion in {folder}", show_header=False)
    table.add_row("format", figures.layout)
    table.add_row("clips", f"{figures.clips:,}")
    table.add_row("subjects", f"{len(figures.subjects)}: {_listed(figures.subjects)}")
    table.add_row("hours", f"{figures.hours:.2f}")
    table.add_row("frames a second", ", ".join(f"{fps:g}" for fps in figures.fps))
    table.add_row("a frame", figures.space)
    table.add_row("train / dev / test", " / ".join(f"{n:,}" for n in figures.splits.values()))
    _console.print(table)
    _show_lines("note", corpus.notes)


def _show_faults(corpus: MotionCorpus) -> None:
    columns = (TextColumn("loading"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console, transient=True) as progress:
        task = progress.add_task("", total=sum(clip.duration_s for clip in corpus.clips))
        faults = faulty_clips(corpus, lambda done_s: progress.update(task, completed=done_s))
    if faults:
        _show_lines("fault", faults)
        raise BadInput(f"{len(faults)} of {len(corpus)} clips cannot be used.")
    _console.print(f"All {len(corpus)} clips load.")


def _show_lines(what: str, lines: tuple[str, ...] | list[str]) -> None:
    for line in lines[:_SHOWN]:
        _console.print(f"{what}: {line}", highlight=False, soft_wrap=True)
    if len(lines) > _SHOWN:
        _console.print(f"... and {len(lines) - _SHOWN} more", highlight=False)


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown}, ..." if len(names) > _SHOWN else shown
