"""What the second stage trains on with a pretrained encoder: recordings as it hears them.

Such encoders take samples, not log-mel, and much time: a run over the whole window for each block.
So every utterance is heard once, in some room and at some speed, without the colours that are put
on log-mel; features are kept. Use a GPU, or a short window in long blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lipstream.audio.speech_models import FeatureExtractor, encode_recording
from lipstream.errors import BadInput
from lipstream.evaluation.utterance import read_corpus
from lipstream.face.motion import Floats
from lipstream.motion.controls import CONTROL_COUNT
from lipstream.motion.talker_audio import FEATURES_PER_FRAME
from lipstream.training.augmentation import Acoustics, nonspeech
from lipstream.training.examples import record
from lipstream.training.pools import NONSPEECH, RECIPE
from lipstream.training.streaming_talker.clips import ClipPool, HeardExample, cached_heard

__all__ = ["heard_recording", "recording_pool"]

_MOST_HOURS = 3.0
"""Of each corpus."""
_NONSPEECH_SHARE, _NONSPEECH_SEED = 0.08, 5
_NONSPEECH_S = 10.0


def recording_pool(
    corpus: Path,
    extractor: FeatureExtractor[Any],
    cache: Path,
    *,
    nonspeech_hours: float = 0.1,
    report: Callable[[str], None] = lambda line: None,
) -> ClipPool:
    """The recipe's corpora that lie in a folder, as this encoder hears them, kept in `cache`.

    Raises:
        BadInput: none of the corpora is there.
    """
    heard = []
    for part in RECIPE:
        if not any(corpus.glob(f"{part.kind}-*.npz")):
            report(f"{part.kind}: not in {corpus}, left out")
            continue
        examples = cached_heard(
            cache / f"{part.kind}.npz",
            lambda kind=part.kind, seed=part.seed: list(_heard(corpus, kind, extractor, seed)),  # type: ignore[misc]
        )
        report(f"{part.kind}: {sum(map(len, examples)) / 90_000:.2f} h heard")
        heard.append((part.kind, part.share, examples))
    if not heard:
        raise BadInput(
            f"None of the corpora {', '.join(part.kind for part in RECIPE)} lies in {corpus}.",
            remedy="Build them with `lipstream corpus`.",
        )
    quiet = cached_heard(
        cache / f"{NONSPEECH}.npz", lambda: list(_quiet(extractor, nonspeech_hours))
    )
    return ClipPool([*heard, (NONSPEECH, _NONSPEECH_SHARE, quiet)])


def heard_recording(
    extractor: FeatureExtractor[Any],
    samples: Floats,  # [S] at 16 kHz
    controls: Floats,  # [N, 10]
) -> HeardExample:
    features = encode_recording(extractor, [samples])
    count = min(len(features) // FEATURES_PER_FRAME, len(controls))
    return HeardExample(
        features[: FEATURES_PER_FRAME * count].astype(np.float16),
        controls[:count].astype(np.float16),
    )


def _heard(
    corpus: Path, kind: str, extractor: FeatureExtractor[Any], seed: int
) -> Iterator[HeardExample]:
    acoustics = Acoustics()
    frames = 0
    for index, utterance in enumerate(read_corpus(corpus, kind)):
        rng = np.random.default_rng([seed, index])
        samples, controls, _ = record(utterance, rng, acoustics)
        example = heard_recording(extractor, samples, controls)
        yield example
        frames += len(example)
        if frames > _MOST_HOURS * 90_000:
            return


def _quiet(extractor: FeatureExtractor[Any], hours: float) -> Iterator[HeardExample]:
    rest = np.zeros((int(25 * _NONSPEECH_S), CONTROL_COUNT), np.float32)
    for index in range(max(round(hours * 3600 / _NONSPEECH_S), 1)):
        samples = nonspeech(_NONSPEECH_S, np.random.default_rng([_NONSPEECH_SEED, index]))
        yield heard_recording(extractor, samples, rest)
