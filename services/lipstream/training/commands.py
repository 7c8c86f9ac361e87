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
_DEFAULT_RUN = Path("data/runs/baseline")


@train_app.command("motion")
def train_motion(
    corpus: Folder = _DEFAULT_CORPUS,
    dev: Annotated[
        Path | None, typer.Option(help="Folder of aligned real speech to stop and calibrate by.")
    ] = None,
    run: Run = _DEFAULT_RUN,
    steps: Annotated[int, typer.Option(help="Steps at most.")] = 6000,
    seed: Annotated[int, typer.Option()] = 0,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
) -> None:
    """Train speech encoder and baseline generator. Goes on where it was interrupted."""
    from lipstream.training.pools import development_speech, training_pool
    from lipstream.training.trainer import TrainConfig, train

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = TrainConfig(steps=steps, seed=seed, threads=threads)
    pool = training_pool(corpus, run / "examples", report=_report)
    held_out = development_speech(dev) if dev else []
    trained = train(config, pool, held_out, run, report=_report)
    _console.print(f"Best after {trained.steps} steps: {run / 'best.pt'}")


@train_app.command("export")
def export(
    run: Run = _DEFAULT_RUN,
    models: Annotated[
        Path | None, typer.Option(help="Model repository; by default the configured one.")
    ] = None,
) -> None:
    """Write the trained networks as ONNX and check them against torch."""
    from lipstream.training.export import export_models, load_trained

    encoder, motion = load_trained(run / "best.pt")
    for exported in export_models(encoder, motion, models or ModelStore.default().root):
        _console.print(
            f"{exported.path}: {exported.megabytes:.1f} MB, "
            f"differs from torch by {exported.difference:.1g}"
        )


def _report(line: str) -> None:
    _console.print(line, soft_wrap=True, highlight=False)
