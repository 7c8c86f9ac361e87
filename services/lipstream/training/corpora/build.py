"""Build corpora into shards: reproducible by seed, resumable, synthesised or real."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from lipstream.audio.limits import check_speech
from lipstream.errors import BadInput, LipstreamError
from lipstream.evaluation.alignment import Aligner
from lipstream.evaluation.utterance import (
    SAMPLE_RATE_HZ,
    Utterance,
    read_shard,
    shard_path,
    write_shard,
)
from lipstream.motion.phones import SILENCE
from lipstream.training.corpora.claim import claim_shards
from lipstream.training.corpora.clip_audio import read_audio
from lipstream.training.corpora.librispeech import Recording
from lipstream.training.corpora.speakers import Speaker, Spoken
from lipstream.training.corpora.texts import Texts
from lipstream.training.corpora.transcription import Transcriber

__all__ = ["build_aligned", "build_synthesised", "to_utterance"]

_LOG = logging.getLogger(__name__)
_SHARD_SECONDS = 900.0
_SHARD_RECORDINGS = 50
_FEWEST_SEGMENTS = 6
_LONGEST_S = 60.0
"""Of one recording; aligning takes memory with its length."""


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

    Raises:
        Conflict: the shards that are there were made with another seed or other texts.
    """
    claim_shards(folder, kind, {"seed": seed, "texts": texts.digest})
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
    recordings: Iterable[Recording],
    folder: Path,
    aligner: Aligner,
    *,
    transcriber: Transcriber | None = None,
    progress: Callable[[float], None] = lambda seconds: None,
) -> float:
    """Fill `folder` with aligned recordings.

    A recording whose text does not fit is left out and named in the log.

    Args:
        transcriber: hears the texts of recordings that have none.

    Returns:
        seconds of speech in the corpus.

    Raises:
        Conflict: the shards that are there hold other recordings.
    """
    wanted = list(recordings)
    names = "\n".join(f"{recording.speaker} {recording.name}" for recording in wanted)
    digest = hashlib.sha256(names.encode()).hexdigest()[:16]
    claim_shards(folder, kind, {"recordings": digest, "heard": transcriber is not None})
    total_s = 0.0
    for index, first in enumerate(range(0, len(wanted), _SHARD_RECORDINGS)):
        path = shard_path(folder, kind, index)
        if path.exists():
            utterances = read_shard(path)
        else:
            batch = wanted[first : first + _SHARD_RECORDINGS]
            aligned = (_aligned(recording, aligner, transcriber) for recording in batch)
            utterances = [utterance for utterance in aligned if utterance is not None]
            write_shard(path, utterances)
        total_s += sum(u.duration_s for u in utterances)
        progress(total_s)
    return total_s


def _aligned(
    recording: Recording, aligner: Aligner, transcriber: Transcriber | None
) -> Utterance | None:
    try:
        samples = read_audio(recording.path)
        check_speech(samples)
        if samples.size > _LONGEST_S * SAMPLE_RATE_HZ:
            raise BadInput(f"It is longer than {_LONGEST_S:g} s.")
        text = recording.text
        if not text and transcriber is not None:
            text = transcriber.text(samples)
        segments = aligner.align(samples, text)
    except LipstreamError as error:
        _LOG.warning("%s is left out: %s", recording.name, error)
        return None
    spoken = Spoken(recording.speaker, samples, SAMPLE_RATE_HZ, segments)
    return to_utterance(spoken, recording.name)
