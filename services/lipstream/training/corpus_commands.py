"""`lipstream corpus`: build corpora of speech, look into corpora of any kind, compute features."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lipstream.errors import BadInput, NotFound
from lipstream.evaluation.alignment import Aligner
from lipstream.training.corpora.build import build_aligned, build_synthesised
from lipstream.training.corpora.speakers import (
    EspeakSpeaker,
    FliteSpeaker,
    KokoroSpeaker,
    Speaker,
    flite_pronounce,
)
from lipstream.training.inspect_command import inspect

__all__ = ["corpus_app"]

corpus_app = typer.Typer(help="Build corpora of speech; inspect those and corpora of motion.")
corpus_app.command("inspect")(inspect)
_console = Console()

Folder = Annotated[Path, typer.Option("--corpus", help="Folder of the corpora.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same corpus.")]
Transcripts = Annotated[
    Path | None, typer.Option(help="Folder of LibriSpeech transcripts (*.tsv.gz).")
]
KokoroFolder = Annotated[
    Path | None, typer.Option(help="Folder with Kokoro's *.onnx and voices/*.bin.")
]

_DEFAULT_CORPUS = Path("data/corpus")


@corpus_app.command("build")
def build(
    speech: Annotated[
        Path | None,
        typer.Argument(help="Folder with librispeech*/<part>/*.flac; without it, no real speech."),
    ] = None,
    flite_hours: Annotated[float, typer.Option(min=0)] = 5.0,
    espeak_hours: Annotated[float, typer.Option(min=0)] = 4.0,
    kokoro_hours: Annotated[float, typer.Option(min=0)] = 0.5,
    seed: Seed = 1,
    transcripts: Transcripts = None,
    kokoro: KokoroFolder = None,
    corpus: Folder = _DEFAULT_CORPUS,
) -> None:
    """Build all corpora that the default weights are trained on, each where the last one ended.

    Speech of flite, espeak-ng and, where it is given, Kokoro, then real speech aligned with its
    text. Goes on where it was interrupted.
    """
    if transcripts is None and speech is not None:
        transcripts = next(speech.glob("*transcripts*"), None)
    wanted = {"flite": flite_hours, "espeak": espeak_hours, "kokoro": kokoro_hours if kokoro else 0}
    for number, (kind, hours) in enumerate(wanted.items()):
        if hours > 0:
            try:
                synthesise(kind, hours, seed + number, transcripts, kokoro, corpus)
            except NotFound as error:
                _console.print(f"{kind} is left out: {error}", highlight=False)
    if speech is not None:
        align(speech, corpus=corpus)


@corpus_app.command("synthesise")
def synthesise(
    kind: Annotated[str, typer.Argument(help="espeak, flite or kokoro")],
    hours: Annotated[float, typer.Option(help="Hours of speech.")] = 4.0,
    seed: Seed = 1,
    transcripts: Transcripts = None,
    kokoro: KokoroFolder = None,
    corpus: Folder = _DEFAULT_CORPUS,
) -> None:
    """Speak random sentences in random voices. Goes on where it was interrupted."""
    from lipstream.training.corpora.texts import load_texts

    speaker, texts = _speaker(kind, kokoro), load_texts(transcripts)
    with _Bar(f"{kind} speaks", hours * 3600) as bar:
        build_synthesised(
            kind, speaker, texts, corpus, hours=hours, seed=seed, progress=bar.seconds
        )


@corpus_app.command("align")
def align(
    speech: Annotated[
        Path,
        typer.Argument(help="Folder with librispeech*/<part>/*.flac; with --untranscribed, any."),
    ],
    part: Annotated[str, typer.Option(help="Part of LibriSpeech.")] = "train-clean-100",
    name: Annotated[str, typer.Option(help="Name of the corpus.")] = "real",
    untranscribed: Annotated[
        bool,
        typer.Option(
            "--untranscribed", help="Take all audio in the folder, as English, and hear its text."
        ),
    ] = False,
    corpus: Folder = _DEFAULT_CORPUS,
) -> None:
    """Find the phone times of real speech from its transcripts, or without any."""
    from lipstream.training.corpora import librispeech, transcription

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    transcriber = transcription.Transcriber() if untranscribed else None
    recordings = (
        transcription.untranscribed(speech)
        if untranscribed
        else librispeech.recordings(speech, part)
    )
    with _Bar(f"aligning {speech.name if untranscribed else part}", None) as bar:
        build_aligned(
            name, recordings, corpus, _aligner(), transcriber=transcriber, progress=bar.seconds
        )


@corpus_app.command("features")
def features(
    folder: Annotated[Path, typer.Argument(help="Folder of motion in any known format.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to keep features in.")],
    encoder: Annotated[
        str, typer.Option(help="own, or hubert:PATH, wav2vec2:PATH, whisper:PATH.")
    ] = "own",
    fps: Annotated[
        float | None, typer.Option(help="Bring the motion to this rate.", min=1, max=1000)
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="The encoder sees whole recordings; not for streaming.")
    ] = False,
) -> None:
    """Compute the speech features of a corpus of motion. Goes on where it was interrupted."""
    from lipstream.audio.speech_models import EncoderChoice, open_extractor
    from lipstream.training.clip_features import FeatureStore
    from lipstream.training.corpora.recognise import open_motion_corpus

    corpus = open_motion_corpus(folder)
    choice = EncoderChoice.parse(encoder)
    extractor = open_extractor(choice)
    store = FeatureStore(out, corpus, choice, fps=fps, whole=whole)
    total_s = sum(clip.duration_s for clip in corpus.clips)
    with _Bar(f"{choice.kind} listens", total_s) as bar:
        count = store.build(extractor, progress=bar.seconds)
    _console.print(f"{store.folder}: {len(corpus)} clips, {count} of them new", highlight=False)


def _speaker(kind: str, kokoro: Path | None) -> Speaker:
    if kind == "flite":
        return FliteSpeaker()
    if kind == "espeak":
        return EspeakSpeaker()
    if kind != "kokoro":
        raise BadInput(f"There is no synthesiser {kind}.", remedy="Choose espeak, flite or kokoro.")
    if kokoro is None:
        raise BadInput("Where Kokoro lies is not said.", remedy="Name its folder with --kokoro.")
    from lipstream.training.corpora.kokoro import Kokoro

    return KokoroSpeaker(Kokoro(kokoro), _aligner())


def _aligner() -> Aligner:
    from lipstream.training.corpora.flite import Flite

    try:
        return Aligner(flite_pronounce(Flite()))
    except NotFound as error:
        _console.print(f"{error} Recordings with rare words are left out.", highlight=False)
        return Aligner()


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
