"""Examples of whole corpora, made once and kept: making them takes longer than reading them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lipstream.audio.mel import BANDS
from lipstream.evaluation.utterance import read_corpus
from lipstream.motion.controls import CONTROL_COUNT
from lipstream.training.augmentation import Acoustics
from lipstream.training.examples import (
    MEL_PER_FRAME,
    PHONES_PER_FRAME,
    Example,
    make_example,
    nonspeech_example,
)

__all__ = ["cached_examples", "nonspeech_examples", "recorded_examples"]


def recorded_examples(
    folder: Path,
    kind: str,
    *,
    copies: int,
    seed: int,
    progress: Callable[[float], None] = lambda seconds: None,
) -> list[Example]:
    """`copies` random recordings of every utterance of a corpus."""
    acoustics = Acoustics()
    examples = []
    total_s = 0.0
    for index, utterance in enumerate(read_corpus(folder, kind)):
        for copy in range(copies):
            rng = np.random.default_rng([seed, index, copy])
            # When there are several copies, one in six stays as it was recorded.
            untouched = copies > 1 and copy % 6 == 0
            examples.append(make_example(utterance, rng, None if untouched else acoustics))
            total_s += len(examples[-1]) / 25
        progress(total_s)
    return examples


def nonspeech_examples(hours: float, *, seed: int) -> list[Example]:
    """Ten-second pieces of sound without speech."""
    count = max(round(hours * 360), 1)
    return [nonspeech_example(10.0, np.random.default_rng([seed, k])) for k in range(count)]


def cached_examples(path: Path, make: Callable[[], Sequence[Example]]) -> list[Example]:
    """What `make` gives, from `path` when it was made before."""
    if not path.exists():
        examples = make()
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(
                file,
                mel=np.concatenate([e.mel for e in examples]),
                controls=np.concatenate([e.controls for e in examples]),
                phones=np.concatenate([e.phones for e in examples]),
                ends=np.cumsum([len(e) for e in examples]),
            )
        os.replace(partial, path)
    with np.load(path, allow_pickle=False) as data:
        mel = data["mel"].reshape(-1, MEL_PER_FRAME, BANDS)
        controls = data["controls"].reshape(-1, CONTROL_COUNT)
        phones = data["phones"].reshape(-1, PHONES_PER_FRAME)
        ends = [0, *data["ends"].tolist()]
    return [
        Example(mel[a:b].reshape(-1, BANDS), controls[a:b], phones[a:b].reshape(-1))
        for a, b in itertools.pairwise(ends)
    ]
