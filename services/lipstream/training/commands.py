"""`lipstream corpus` and `lipstream train`: from nothing to weights in the model repository."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lipstream.errors import BadInput, NotFound
from lipstream.inference import ModelStore
from lipstream.training.corpora.build import build_aligned, build_synthesised
from lipstream.training.corpora.speakers import (
    EspeakSpeaker,
    FliteSpeaker,
    Speaker,
    flite_pronounce,
)
from lipstream.training.inspect_command import inspect

__all__ = ["corpus_app", "train_app"]

corpus_app = typer.Typer(help="Build and inspect corpora of speech with phone times.")
train_app = typer.Typer(help="Train the speech encoder and motion generators.")
_console = Console()

Folder = Annotated[Path, typer.Option("--corpus", help="Folder of the corpora.")]
Run = Annotated[Path, typer.Option("--run", help="Folder of checkpoints and logs.")]

_DEFAULT_CORPUS = Path("data/corpus")
_DEFAULT_RUN = Path("data/runs/baseline")


@corpus_app.command("synthesise")
def synthesise(
    kind: Annotated[str, typer.Argument(help="espeak or flite")],
    hours: Annotated[float, typer.Option(help="Hours of speech.")] = 4.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same corpus.")] = 1,
    transcripts: Annotated[
        Path | None, typer.Option(help="Folder of LibriSpeech transcripts (*.tsv.gz).")
    ] = None,
    corpus: Folder = _DEFAULT_CORPUS,
) -> None:
    """Speak random sentences in random voices. Goes on where it was interrupted."""
    from lipstream.training.corpora.texts import load_texts

    speakers: dict[str, Callable[[], Speaker]] = {"espeak": EspeakSpeaker, "flite": FliteSpeaker}
    if kind not in speakers:
        raise BadInput(f"There is no synthesiser {kind}.", remedy="Choose espeak or flite.")
    texts = load_texts(transcripts)
    with _Bar(f"{kind} speaks", hours * 3600) as bar:
        build_synthesised(
            kind, speakers[kind](), texts, corpus, hours=hours, seed=seed, progress=bar.seconds
        )


@corpus_app.command("align")
def align(
    speech: Annotated[Path, typer.Argument(help="Folder with librispeech*/<part>/*.flac.")],
    part: Annotated[str, typer.Option(help="Part of LibriSpeech.")] = "train-clean-100",
    name: Annotated[str, typer.Option(help="Name of the corpus.")] = "real",
    corpus: Folder = _DEFAULT_CORPUS,
) -> None:
    """Find the phone times of real speech from its transcripts."""
    from lipstream.training.corpora.alignment import Aligner
    from lipstream.training.corpora.flite import Flite

    try:
        aligner = Aligner(flite_pronounce(Flite()))
    except NotFound as error:
        _console.print(f"{error} Recordings with rare words are left out.")
        aligner = Aligner()
    with _Bar(f"aligning {part}", None) as bar:
        build_aligned(name, part, speech, corpus, aligner, progress=bar.seconds)


corpus_app.command("inspect")(inspect)


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


class _Bar:
    """A progress bar over seconds of speech."""

    def __init__(self, title: str, total_s: float | None) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[hours]:.2f} h"),
            TimeElapsedColumn(),
            console=_console,
        )
        self._task = self._progress.add_task(title, total=total_s, hours=0.0)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def seconds(self, done_s: float) -> None:
        self._progress.update(self._task, completed=done_s, hours=done_s / 3600)
