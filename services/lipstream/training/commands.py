"""`lipstream train`: from corpora to weights in the model repository."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lipstream.inference import ModelStore
from lipstream.training.corpus_commands import corpus_app

__all__ = ["corpus_app", "train_app"]

train_app = typer.Typer(help="Train the speech encoder and motion generators.")
_console = Console()

Folder = Annotated[Path, typer.Option("--corpus", help="Folder of the corpora.")]
Run = Annotated[Path, typer.Option("--run", help="Folder of checkpoints and logs.")]

_DEFAULT_CORPUS = Path("data/corpus")
_RUNS = Path("data/runs")
_DEFAULT_RUN = _RUNS / "baseline"


@train_app.command("motion")
def train_motion(
    preset: Annotated[
        str,
        typer.Option(help="baseline (with the encoder), arkit or streaming_talker, vocaset, biwi."),
    ] = "baseline",
    corpus: Folder = _DEFAULT_CORPUS,
    dev: Annotated[
        Path | None, typer.Option(help="Folder of aligned real speech to stop and calibrate by.")
    ] = None,
    motion_corpus: Annotated[
        Path | None, typer.Option(help="Folder of recorded motion, to train on instead of speech.")
    ] = None,
    encoder: Annotated[
        str,
        typer.Option(help="Whose features: own, hubert:PATH, wav2vec2:PATH, whisper:PATH."),
    ] = "own",
    config: Annotated[
        Path | None, typer.Option(help="TOML with settings of the run, over the preset's.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="Folder of checkpoints and logs.")
    ] = None,
    earlier: Annotated[
        Path | None,
        typer.Option("--from", help="Folder of a finished run of the baseline to train on."),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the generator at most.")] = None,
    seed: Annotated[int, typer.Option()] = 0,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
) -> None:
    """Train a motion generator. Goes on where it was interrupted."""
    from lipstream.training.overrides import read_overrides
    from lipstream.training.recipes import Recipe, train_preset

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    recipe = Recipe(
        preset=preset,
        corpus=corpus,
        dev=dev,
        earlier=earlier,
        motion_corpus=motion_corpus,
        encoder=encoder,
        run=run or _RUNS / preset,
        overrides=read_overrides(config) if config else {},
        steps=steps,
        seed=seed,
        threads=threads,
    )
    _console.print(f"Trained: {train_preset(recipe, report=_report)}")


@train_app.command("ablate")
def ablate(
    corpus: Folder = _DEFAULT_CORPUS,
    dev: Annotated[
        Path | None, typer.Option(help="Folder of aligned real speech to judge by.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML with settings of the run, over the preset's.")
    ] = None,
    run: Annotated[Path, typer.Option("--run", help="Folder of the runs.")] = _RUNS / "ablation",
    steps: Annotated[int, typer.Option(help="Steps of each variant.")] = 600,
    seed: Annotated[int, typer.Option()] = 0,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
) -> None:
    """Train StreamingTalker without one part after the other; one table of figures."""
    from lipstream.training.overrides import read_overrides
    from lipstream.training.recipes import Recipe, ablate_talker

    recipe = Recipe(
        preset="arkit",
        corpus=corpus,
        dev=dev,
        run=run,
        overrides=read_overrides(config) if config else {},
        steps=steps,
        seed=seed,
        threads=threads,
    )
    _console.print(ablate_talker(recipe, report=_report), highlight=False)


@train_app.command("export")
def export(
    run: Run = _DEFAULT_RUN,
    models: Annotated[
        Path | None, typer.Option(help="Model repository; by default the configured one.")
    ] = None,
) -> None:
    """Write the trained networks of a run as ONNX and check them against torch."""
    from lipstream.training.recipes import export_run

    for exported in export_run(run, models or ModelStore.default().root):
        _console.print(
            f"{exported.path}: {exported.megabytes:.1f} MB, "
            f"differs from torch by {exported.difference:.1g}"
        )
        for path in exported.beside:
            _console.print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, belongs to it")


def _report(line: str) -> None:
    _console.print(line, soft_wrap=True, highlight=False)
