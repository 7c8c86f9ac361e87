"""What the second stage trains on: features as the encoder gives them, and the mouth's controls.

The encoder is fixed by then, so its features are computed once and kept.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lipstream.audio.encoder import SpeechEncoder
from lipstream.errors import BadInput
from lipstream.face.motion import Floats
from lipstream.motion.talker_audio import (
    FEATURES_PER_FRAME,
    FUTURE_ROWS,
    LOOK_AHEADS_MS,
    PAST_ROWS,
    consecutive_audio,
)
from lipstream.training.examples import Example
from lipstream.training.pools import Kind, parts_of
from lipstream.training.spectral import SpectralAugmentation
from lipstream.training.streaming_talker.losses import Clip

__all__ = ["ClipPool", "HeardExample", "cached_heard", "clip_pool", "hear", "padded_features"]

_COLOUR_SEED = 3
_MOST_HOURS = {"flite": 4.0, "espeak": 3.0}
_DELAY_SHARES = (0.15, 0.45, 0.2, 0.2)
"""Of the look-aheads in training; the default one counts most."""


@dataclass(frozen=True, slots=True)
class HeardExample:
    """`N` frames of 25 fps."""

    features: NDArray[np.float16]  # [2 N, D]
    controls: NDArray[np.float16]  # [N, 10]

    def __len__(self) -> int:
        return len(self.controls)


def hear(
    examples: Iterable[Example], encoder: SpeechEncoder, *, augmented: bool, seed: int
) -> list[HeardExample]:
    """Examples through the encoder, each in a colour of its own."""
    torch.manual_seed(seed)
    augmentation = SpectralAugmentation()
    heard = []
    for example in examples:
        mel = example.mel.astype(np.float32)
        if augmented:
            mel = augmentation.apply(torch.from_numpy(mel)[None])[0].numpy()
        heard.append(HeardExample(encoder.encode(mel).astype(np.float16), example.controls))
    return heard


def cached_heard(path: Path, make: Callable[[], Sequence[HeardExample]]) -> list[HeardExample]:
    """What `make` gives, from `path` when it was made before."""
    if not path.exists():
        made = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(
                file,
                features=np.concatenate([e.features for e in made]),
                controls=np.concatenate([e.controls for e in made]),
                ends=np.cumsum([len(e) for e in made]),
            )
        os.replace(partial, path)
    with np.load(path, allow_pickle=False) as data:
        features, controls = data["features"], data["controls"]
        ends = [0, *data["ends"].tolist()]
    return [
        HeardExample(features[FEATURES_PER_FRAME * a : FEATURES_PER_FRAME * b], controls[a:b])
        for a, b in itertools.pairwise(ends)
    ]


def padded_features(features: Floats) -> Floats:  # [2 N, D] -> [PAST + 2 N + FUTURE, D]
    """As generation hears a whole recording: nothing before it, its last feature goes on after."""
    before = np.zeros((PAST_ROWS, features.shape[1]), np.float32)
    after = np.repeat(features[-1:], FUTURE_ROWS, axis=0)
    return np.concatenate([before, features, after], dtype=np.float32)


def clip_pool(
    kinds: Sequence[Kind],
    encoder: SpeechEncoder,
    cache: Path,
    report: Callable[[str], None] = lambda line: None,
) -> ClipPool:
    """The recipe's examples as this encoder hears them, kept in `cache`."""
    heard = []
    for kind in kinds:
        examples = cached_heard(
            cache / f"{kind.name}.npz",
            lambda kind=kind: hear(_some(kind), encoder, augmented=True, seed=_COLOUR_SEED),  # type: ignore[misc]
        )
        report(f"{kind.name}: {sum(map(len, examples)) / 90_000:.2f} h heard")
        heard.append((kind.name, kind.share, examples))
    return ClipPool(heard)


def _some(kind: Kind) -> list[Example]:
    """Of the synthetic kinds less than there is: their variety is soon exhausted."""
    frames_left = _MOST_HOURS.get(kind.name, math.inf) * 90_000
    chosen = []
    for index in np.random.default_rng(0).permutation(len(kind.examples)):
        if frames_left <= 0:
            break
        chosen.append(kind.examples[index])
        frames_left -= len(chosen[-1])
    return chosen


class ClipPool:
    """Examples of several kinds, drawn with a share for each kind."""

    def __init__(self, kinds: Iterable[tuple[str, float, Sequence[HeardExample]]]) -> None:
        chosen = [(name, share, examples) for name, share, examples in kinds if examples and share]
        if not chosen:
            raise BadInput("There are no examples to train on.")
        self.parts = parts_of(chosen)
        self._shares = [part.share for part in self.parts]
        self._kinds = [examples for _, _, examples in chosen]

    def motion(self, rng: np.random.Generator, size: int, frames: int) -> torch.Tensor:
        """Controls alone `# [size, frames, 10]`, for stage one."""
        rows = []
        for _ in range(size):
            example, start = self._draw(rng, frames)
            rows.append(_controls(example, start, frames))
        return torch.from_numpy(np.stack(rows))

    def clips(self, rng: np.random.Generator, size: int, frames: int) -> Clip:
        """Random crops, each with a look-ahead of its own."""
        motion, audio = [], []
        for _ in range(size):
            example, start = self._draw(rng, frames)
            delay = int(rng.choice(len(LOOK_AHEADS_MS), p=_DELAY_SHARES))
            motion.append(_controls(example, start, frames))
            audio.append(_audio(example, start, frames, delay))
        return Clip(torch.from_numpy(np.stack(motion)), torch.from_numpy(np.stack(audio)))

    def _draw(self, rng: np.random.Generator, frames: int) -> tuple[HeardExample, int]:
        examples = self._kinds[int(rng.choice(len(self._kinds), p=self._shares))]
        example = examples[int(rng.integers(len(examples)))]
        return example, int(rng.integers(max(len(example) - frames, 0) + 1))


def _controls(example: HeardExample, start: int, frames: int) -> Floats:  # [frames, 10]
    piece = example.controls[start : start + frames].astype(np.float32)
    return np.pad(piece, ((0, frames - len(piece)), (0, 0)))


def _audio(example: HeardExample, start: int, frames: int, delay: int) -> Floats:  # [frames, A]
    first = FEATURES_PER_FRAME * start - PAST_ROWS
    count = PAST_ROWS + FEATURES_PER_FRAME * (frames + delay)
    rows = np.zeros((count, example.features.shape[1]), np.float32)
    piece = example.features[max(first, 0) : first + count]
    offset = max(-first, 0)
    rows[offset : offset + len(piece)] = piece
    rows[offset + len(piece) :] = piece[-1]
    return consecutive_audio(rows, frames, delay)
