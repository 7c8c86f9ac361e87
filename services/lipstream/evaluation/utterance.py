"""Speech with known phone times: what corpora yield and evaluation reads; how it lies on disk.

A corpus is a folder of shards, each a `.npz` of plain arrays (no pickle). Shard `k` depends only on
the corpus' settings, its seed and `k`, so a build that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.face.motion import Floats
from lipstream.motion.phones import SYMBOL_INDEX, SYMBOLS, Segment

__all__ = ["SAMPLE_RATE_HZ", "Utterance", "read_corpus", "read_shard", "shard_path", "write_shard"]

SAMPLE_RATE_HZ = 16_000
_FIELDS = ("names", "speakers", "samples", "sample_ends", "segments", "symbols", "segment_ends")


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence, clean, at 16 kHz, with its phones."""

    name: str
    speaker: str
    samples: NDArray[np.int16]  # [S]
    segments: tuple[Segment, ...]

    @property
    def duration_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ

    @property
    def waveform(self) -> Floats:
        """`# [S]` in [-1, 1]"""
        return self.samples.astype(np.float32) / 32768


def shard_path(folder: Path, kind: str, index: int) -> Path:
    return folder / f"{kind}-{index:04d}.npz"


def write_shard(path: Path, utterances: Sequence[Utterance]) -> None:
    """Write atomically: a shard that exists is complete."""
    rows = [
        (segment.start_s, segment.end_s, segment.stress)
        for utterance in utterances
        for segment in utterance.segments
    ]
    symbols = [SYMBOL_INDEX[s.symbol] for utterance in utterances for s in utterance.segments]
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(
            file,
            names=np.array([u.name for u in utterances], dtype=np.str_),
            speakers=np.array([u.speaker for u in utterances], dtype=np.str_),
            samples=np.concatenate([u.samples for u in utterances])
            if utterances
            else np.zeros(0, np.int16),
            sample_ends=np.cumsum([len(u.samples) for u in utterances], dtype=np.int64),
            segments=np.array(rows, np.float32).reshape(-1, 3),
            symbols=np.array(symbols, np.uint8),
            segment_ends=np.cumsum([len(u.segments) for u in utterances], dtype=np.int64),
        )
    os.replace(partial, path)


def read_shard(path: Path) -> list[Utterance]:
    """All utterances of one shard.

    Raises:
        BadInput: the file is no shard.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            missing = [name for name in _FIELDS if name not in data]
            if missing:
                raise BadInput(f"{path.name} is no corpus shard: it lacks {', '.join(missing)}.")
            arrays = {name: data[name] for name in _FIELDS}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path.name} is no corpus shard: {error}.") from error
    utterances = []
    first_sample = first_segment = 0
    for index, name in enumerate(arrays["names"]):
        last_sample = int(arrays["sample_ends"][index])
        last_segment = int(arrays["segment_ends"][index])
        segments = tuple(
            Segment(float(row[0]), float(row[1]), SYMBOLS[symbol], float(row[2]))
            for row, symbol in zip(
                arrays["segments"][first_segment:last_segment],
                arrays["symbols"][first_segment:last_segment],
                strict=True,
            )
        )
        samples = arrays["samples"][first_sample:last_sample]
        utterances.append(Utterance(str(name), str(arrays["speakers"][index]), samples, segments))
        first_sample, first_segment = last_sample, last_segment
    return utterances


def read_corpus(folder: Path, kind: str = "") -> Iterator[Utterance]:
    """Utterances of all shards of a folder in order, one shard in memory at a time.

    Raises:
        BadInput: there is none.
    """
    paths = sorted(folder.glob(f"{kind}*.npz"))
    if not paths:
        raise BadInput(
            f"No corpus of kind {kind or 'any'} lies in {folder}.",
            remedy="Build one with `lipstream corpus align`.",
        )
    for path in paths:
        yield from read_shard(path)
