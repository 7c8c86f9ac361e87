"""Speech with phone labels, to judge generators by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from lipstream.errors import BadInput, NotFound
from lipstream.evaluation.labels import read_hts_labels, read_sphinx_json, read_text_grid
from lipstream.evaluation.utterance import SAMPLE_RATE_HZ, Utterance
from lipstream.motion.phones import Segment

__all__ = ["DEV_SPEAKERS", "is_dev_speaker", "labelled_utterances", "labels_of"]

DEV_SPEAKERS = 5
"""So many of LibriSpeech test-other's speakers, the first in order, serve development."""


def labelled_utterances(folder: Path) -> Iterator[Utterance]:
    """Speech files below `folder` that have phone labels beside them.

    Labels: `<name>.TextGrid` or `<name>_phones.TextGrid`, `<name>_phone.lab` (HTS),
    `<name>.phone.json` (pocketsphinx).

    Raises:
        NotFound: there is none.
    """
    found = False
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".wav", ".flac"}):
        segments = labels_of(path)
        if segments:
            found = True
            yield _utterance(path, segments)
    if not found:
        raise NotFound(f"No labelled speech lies in {folder}.")


def labels_of(path: Path) -> tuple[Segment, ...]:
    """Phones of the labels beside a file of speech; none where there are none."""
    for suffix in ("_phones.TextGrid", ".TextGrid"):
        labels = path.with_name(path.stem + suffix)
        if labels.is_file():
            try:
                return read_text_grid(labels)
            except BadInput:  # labels of something else, such as words alone
                return ()
    labels = path.with_name(path.stem + "_phone.lab")
    if labels.is_file():
        return read_hts_labels(labels)
    labels = path.with_name(path.stem + ".phone.json")
    return read_sphinx_json(labels) if labels.is_file() else ()


def _utterance(path: Path, segments: tuple[Segment, ...]) -> Utterance:
    import soundfile

    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    if rate_hz != SAMPLE_RATE_HZ:
        divisor = int(np.gcd(rate_hz, SAMPLE_RATE_HZ))
        mono = resample_poly(mono, SAMPLE_RATE_HZ // divisor, rate_hz // divisor)
    pcm = np.clip(np.round(mono * 32767), -32768, 32767).astype(np.int16)
    return Utterance(path.stem, f"{path.parent.name}/{path.stem}", pcm, segments)


def is_dev_speaker(speaker: str, speakers: set[str]) -> bool:
    """Whether a held-out speaker serves development (early stopping), or only the test."""
    return speaker in sorted(speakers)[:DEV_SPEAKERS]
