"""Videos, or sound to render, and what is said in them: the input of `lipstream evaluate video`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lipstream.audio.decode import decode_audio
from lipstream.audio.limits import AudioLimits
from lipstream.errors import BadInput, NotFound
from lipstream.evaluation.alignment import Aligner
from lipstream.evaluation.labelled import labels_of
from lipstream.evaluation.labels import read_hts_labels, read_sphinx_json, read_text_grid
from lipstream.evaluation.utterance import SAMPLE_RATE_HZ, Utterance
from lipstream.face.motion import Floats
from lipstream.motion.phones import SILENCE, Segment

__all__ = ["TRANSCRIPTS", "Clip", "find_clips", "naming"]

TRANSCRIPTS = "transcripts.csv"
"""In a folder of videos: a column `file`, and one whose name starts with `text`."""

_SOUND_ENDINGS = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a"})
_VIDEO_ENDINGS = frozenset({".mp4", ".mpg", ".mpeg", ".mov", ".mkv", ".webm", ".avi", ".m4v"})
_LIMITS = AudioLimits(max_bytes=4_000_000_000)
_OVERHANG_S = 0.3
"""So far labels may go on behind the sound; more, and they are of something else."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Speech with its phones, and the video of it, where there is one."""

    speech: Utterance
    video: Path | None


def find_clips(
    paths: Sequence[Path], *, text: str | None = None, labels: Path | None = None
) -> list[Clip]:
    """Read what is said in each file: phone labels beside it (see `labelled_utterances`), or a
    text in `<name>.txt` or in the folder's `transcripts.csv`, which is then aligned.

    Args:
        paths: videos, sound files, and folders of either.
        text: what is said in the one file given.
        labels: its phone labels.

    Raises:
        NotFound: there is no such file, or nothing with text or labels in a folder.
        BadInput: a file is broken, or labels or text do not fit it; the message names the file.
    """
    given = text is not None or labels is not None
    if given and (len(paths) != 1 or not paths[0].is_file()):
        raise BadInput("--text and --labels are for one file.", remedy="Give one file alone.")
    reader = _Reader()
    clips = []
    for path in paths:
        if path.is_dir():
            clips += [reader.clip(file, words) for file, words in _files_of(path)]
        elif path.is_file():
            clips.append(reader.clip(path, text or _text_of(path), labels))
        else:
            raise NotFound(f"There is no file or folder {path}.")
    return clips


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put a file's name in front of what is wrong with it."""
    try:
        yield
    except (BadInput, NotFound) as error:
        message = f"{path.name}: {error.message}"
        raise type(error)(message, remedy=error.remedy, code=error.code) from None


class _Reader:
    """Keeps the aligner, which is slow to make and not always needed."""

    def __init__(self) -> None:
        self._aligner: Aligner | None = None

    def clip(self, path: Path, text: str | None, labels: Path | None = None) -> Clip:
        with naming(path):
            samples = decode_audio(path, limits=_LIMITS).samples
            segments = _read_labels(labels) if labels else labels_of(path)
            if not segments and text:
                segments = self._aligned(samples, text)
            _check(segments, len(samples) / SAMPLE_RATE_HZ)
        pcm = np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)
        speech = Utterance(path.stem, f"{path.parent.name}/{path.stem}", pcm, tuple(segments))
        return Clip(speech, None if path.suffix.lower() in _SOUND_ENDINGS else path)

    def _aligned(self, samples: Floats, text: str) -> tuple[Segment, ...]:
        if self._aligner is None:
            self._aligner = Aligner()
        return self._aligner.align(samples, text)


def _files_of(folder: Path) -> list[tuple[Path, str | None]]:
    """Files of a folder that say what is said in them, and the text where it is a text."""
    found: list[tuple[Path, str | None]]
    if (folder / TRANSCRIPTS).is_file():
        texts = _transcripts(folder / TRANSCRIPTS)
        found = [(folder / name, text) for name, text in texts.items() if text]
    else:
        endings = _SOUND_ENDINGS | _VIDEO_ENDINGS
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in endings)
        found = [(p, text) for p in files if (text := _text_of(p)) or labels_of(p)]
    if not found:
        raise NotFound(f"No labelled or transcribed speech lies in {folder}.")
    return found


def _text_of(path: Path) -> str | None:
    beside = path.with_suffix(".txt")
    if beside.is_file():
        return beside.read_text("utf-8", "replace").strip() or None
    listed = path.with_name(TRANSCRIPTS)
    return _transcripts(listed).get(path.name) if listed.is_file() else None


def _transcripts(path: Path) -> dict[str, str | None]:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = csv.DictReader(file)
        columns = rows.fieldnames or ()
        column = next((name for name in columns if name.startswith("text")), None)
        if column is None or "file" not in columns:
            raise BadInput(f"{path} lacks a column `file`, or one that starts with `text`.")
        return {row["file"]: (row[column] or "").strip() or None for row in rows}


def _read_labels(path: Path) -> tuple[Segment, ...]:
    readers = {".textgrid": read_text_grid, ".lab": read_hts_labels, ".json": read_sphinx_json}
    reader = readers.get(path.suffix.lower())
    if reader is None or not path.is_file():
        raise BadInput(
            f"{path} holds no phone labels.", remedy="Give a .TextGrid, an HTS .lab or a .json."
        )
    try:
        return reader(path)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} holds no phone labels: {error}.") from None


def _check(segments: Iterable[Segment], sound_s: float) -> None:
    spoken = [segment for segment in segments if segment.symbol != SILENCE]
    if not spoken:
        raise BadInput(
            "It is not known what is said in it.",
            remedy="Put phone labels or a .txt beside it, or give --text.",
        )
    if spoken[-1].end_s > sound_s + _OVERHANG_S:
        raise BadInput(
            f"The labels do not fit: they end at {spoken[-1].end_s:.1f} s, "
            f"the sound at {sound_s:.1f} s."
        )
