"""`lipstream evaluate`: figures of the trained models on labelled speech."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lipstream.errors import NotFound
from lipstream.evaluation.lips import LipScore, Scored, score
from lipstream.evaluation.utterance import Utterance
from lipstream.evaluation.video.command import video
from lipstream.motion.generators import DEFAULT_GENERATOR, open_generator

__all__ = ["app", "evaluate_lips"]

app = typer.Typer(help="Measure the trained models.")
app.command("video")(video)
_console = Console()


@app.callback()
def _root() -> None:
    """Measure the trained models."""


@app.command("lips")
def lips(
    labelled: Annotated[
        Path | None, typer.Option(help="Folder of speech files with phone labels beside them.")
    ] = None,
    corpus: Annotated[
        Path | None, typer.Option(help="Folder of aligned speech, from `lipstream corpus align`.")
    ] = None,
    held_out: Annotated[
        bool, typer.Option(help="Of the corpus, only speakers that training did not look at.")
    ] = True,
    look_ahead_ms: Annotated[list[int] | None, typer.Option(help="Repeatable.")] = None,
    generator: Annotated[
        list[str] | None, typer.Option(help="Repeatable: baseline, streaming_talker.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
) -> None:
    """Do the lips say what is heard, on labelled real speech?"""
    from lipstream.evaluation.labelled import is_dev_speaker, labelled_utterances
    from lipstream.evaluation.utterance import read_corpus

    utterances: list[Utterance] = []
    if labelled:
        utterances += labelled_utterances(labelled)
    if corpus:
        aligned = list(read_corpus(corpus))
        speakers = {u.speaker for u in aligned}
        utterances += [u for u in aligned if not (held_out and is_dev_speaker(u.speaker, speakers))]
    if not utterances:
        raise NotFound(
            "There is no labelled speech to evaluate on.",
            remedy="Name a folder with --labelled or --corpus.",
        )
    results = evaluate_lips(utterances, look_ahead_ms or [80], generator or [DEFAULT_GENERATOR])
    _console.print(_table(results))
    if json_file:
        json_file.write_text(json.dumps({k: asdict(v) for k, v in results.items()}, indent=2))


def evaluate_lips(
    utterances: Sequence[Utterance],
    look_aheads_ms: Sequence[int],
    generators: Sequence[str] = (DEFAULT_GENERATOR,),
) -> dict[str, LipScore]:
    """Scores of the label-derived mouth, of loudness alone, and of the generators named."""
    from lipstream.audio.encoder import SpeechEncoder
    from lipstream.evaluation.contenders import Contender, from_labels, from_loudness, generated

    encoder = SpeechEncoder()
    contenders: dict[str, Contender] = {"labels": from_labels, "loudness": from_loudness}
    for name in generators:
        for ms in look_aheads_ms:
            generator = open_generator(name, look_ahead_ms=ms)
            contenders[f"{name}, {ms} ms"] = generated(encoder, generator)
    references = [from_labels(utterance) for utterance in utterances]
    return {
        name: score(
            Scored(contender(utterance), reference, utterance.segments)
            for utterance, reference in zip(utterances, references, strict=True)
        )
        for name, contender in contenders.items()
    }


def _table(results: dict[str, LipScore]) -> Table:
    table = Table()
    table.add_column("figure")
    for name in results:
        table.add_column(name, justify="right")
    for field in fields(LipScore):
        values = [getattr(result, field.name) for result in results.values()]
        table.add_row(field.name, *(f"{v:.3f}" if isinstance(v, float) else str(v) for v in values))
    return table
