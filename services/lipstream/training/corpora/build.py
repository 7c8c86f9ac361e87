"""Build corpora into shards: reproducible by seed, resumable, synthesised or real."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from lipstream.errors import BadInput
from lipstream.evaluation.utterance import (
    SAMPLE_RATE_HZ,
    Utterance,
    read_shard,
    shard_path,
    write_shard,
)
from lipstream.motion.phones import SILENCE
from lipstream.training.corpora.alignment import Aligner
from lipstream.training.corpora.librispeech import Recording, recordings
from lipstream.training.corpora.speakers import Speaker, Spoken
from lipstream.training.corpora.texts import Texts

__all__ = ["build_aligned", "build_synthesised", "to_utterance"]

_LOG = logging.getLogger(__name__)
_SHARD_SECONDS = 900.0
_SHARD_RECORDINGS = 50
_FEWEST_SEGMENTS = 6


def to_utterance(spoken: Spoken, name: str) -> Utterance:
    """At 16 kHz, peak 0.9, with the same phones in seconds."""
    divisor = int(np.gcd(spoken.sample_rate_hz, SAMPLE_RATE_HZ))
    samples = resample_poly(
        spoken.samples, SAMPLE_RATE_HZ // divisor, spoken.sample_rate_hz // divisor
    )
    peak = max(float(np.abs(samples).max(initial=0)), 1e-6)
    pcm = np.round(samples * (0.9 * 32767 / peak)).astype(np.int16)
    return Utterance(name, spoken.speaker, pcm, spoken.segments)


def build_synthesised(
    kind: str,
    speaker: Speaker,
    texts: Texts,
    folder: Path,
    *,
    hours: float,
    seed: int,
    progress: Callable[[float], None] = lambda seconds: None,
) -> float:
    """Fill `folder` with shards `<kind>-NNNN.npz` until they hold `hours` of speech.

    Returns:
        seconds of speech in the corpus.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total_s = 0.0
    index = 0
    while total_s < hours * 3600:
        path = shard_path(folder, kind, index)
        if path.exists():
            utterances = read_shard(path)
        else:
            rng = np.random.default_rng([seed, index])
            utterances = list(_shard(kind, index, speaker.speak(texts, rng)))
            write_shard(path, utterances)
        total_s += sum(u.duration_s for u in utterances)
        progress(total_s)
        index += 1
    return total_s


def _shard(kind: str, index: int, spoken: Iterator[Spoken]) -> Iterator[Utterance]:
    total_s = 0.0
    for number, speech in enumerate(spoken):
        duration_s = len(speech.samples) / speech.sample_rate_hz
        audible = duration_s > 0 and float(np.std(speech.samples)) > 1e-3
        phones = sum(segment.symbol != SILENCE for segment in speech.segments)
        if not (1.0 < duration_s < 14.0 and audible and phones >= _FEWEST_SEGMENTS):
            continue
        yield to_utterance(speech, f"{kind}-{index:04d}-{number:04d}")
        total_s += duration_s
        if total_s > _SHARD_SECONDS:
            return


def build_aligned(
    kind: str,
    part: str,
    speech: Path,
    folder: Path,
    aligner: Aligner,
    *,
    speakers: Callable[[str], bool] = lambda speaker: True,
    progress: Callable[[float], None] = lambda seconds: None,
) -> float:
    """Fill `folder` with aligned recordings of one LibriSpeech part.

    A recording whose text does not fit is left out and named in the log.

    Args:
        speakers: says whether a speaker's recordings are wanted.

    Returns:
        seconds of speech in the corpus.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (r for r in recordings(speech, part) if speakers(r.speaker))
    total_s = 0.0
    index = 0
    while batch := list(islice(wanted, _SHARD_RECORDINGS)):
        path = shard_path(folder, kind, index)
        if path.exists():
            utterances = read_shard(path)
        else:
            utterances = [u for r in batch if (u := _aligned(r, aligner)) is not None]
            write_shard(path, utterances)
        total_s += sum(u.duration_s for u in utterances)
        progress(total_s)
        index += 1
    return total_s


def _aligned(recording: Recording, aligner: Aligner) -> Utterance | None:
    import soundfile

    samples, sample_rate_hz = soundfile.read(recording.path, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    if sample_rate_hz != SAMPLE_RATE_HZ:
        raise BadInput(f"{recording.path} has {sample_rate_hz} Hz; 16000 Hz was expected.")
    try:
        segments = aligner.align(mono, recording.text)
    except BadInput as error:
        _LOG.warning("%s is left out: %s", recording.name, error)
        return None
    spoken = Spoken(f"librispeech/{recording.speaker}", mono, sample_rate_hz, segments)
    return to_utterance(spoken, recording.name)
