"""What the baseline trains on, and what it is stopped by: the project's own recipe of corpora."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path

from lipstream.errors import BadInput
from lipstream.evaluation.labelled import is_dev_speaker
from lipstream.evaluation.utterance import read_corpus
from lipstream.training.dataset import cached_examples, nonspeech_examples, recorded_examples
from lipstream.training.examples import Example
from lipstream.training.validation import DevSpeech, dev_speech

__all__ = [
    "INGREDIENTS",
    "NONSPEECH",
    "RECIPE",
    "Ingredient",
    "Kind",
    "Part",
    "development_speech",
    "parts_of",
    "recipe_examples",
]

NONSPEECH = "nonspeech"

_NONSPEECH_SHARE = 0.08
_NONSPEECH_SEED = 5


@dataclass(frozen=True, slots=True)
class Ingredient:
    kind: str
    """Name of the corpus, as its shards are called."""
    share: float
    """Of the crops that training draws."""
    copies: int
    """Recordings of every utterance, each in another room and at another speed."""
    seed: int


@dataclass(frozen=True, slots=True)
class Kind:
    """Examples of one corpus."""

    name: str
    share: float
    examples: list[Example]


@dataclass(frozen=True, slots=True)
class Part:
    """What one corpus has in the training."""

    name: str
    share: float
    """Of the crops that are drawn."""
    hours: float
    """Of examples, every recording of an utterance counted."""


def parts_of(kinds: Iterable[tuple[str, float, Sequence[Sized]]]) -> list[Part]:
    """Shares of those that are there, from name, share and examples of 25 fps of each."""
    there = [(name, share, examples) for name, share, examples in kinds if examples and share > 0]
    total = sum(share for _, share, _ in there)
    return [
        Part(name, share / total, sum(map(len, examples)) / 90_000)
        for name, share, examples in there
    ]


RECIPE: tuple[Ingredient, ...] = (
    Ingredient("real", 0.44, 14, 11),
    Ingredient("kokoro", 0.30, 3, 14),
    Ingredient("flite", 0.10, 1, 12),
    Ingredient("espeak", 0.08, 1, 13),
)

INGREDIENTS = {
    part.kind: part
    for part in (*RECIPE, Ingredient(NONSPEECH, _NONSPEECH_SHARE, 1, _NONSPEECH_SEED))
}
"""By name, the sound without speech too."""


def recipe_examples(
    corpus: Path,
    cache: Path,
    *,
    nonspeech_hours: float = 1.0,
    report: Callable[[str], None] = lambda line: None,
) -> list[Kind]:
    """Examples of the recipe's corpora that are there, and of sound without speech.

    Args:
        corpus: folder of shards.
        cache: folder in which examples are kept between runs.
        nonspeech_hours: of sound to which the mouth rests.

    Raises:
        BadInput: none of the corpora is there.
    """
    cache.mkdir(parents=True, exist_ok=True)
    kinds: list[Kind] = []
    for part in RECIPE:
        if not any(corpus.glob(f"{part.kind}-*.npz")):
            report(f"{part.kind}: not in {corpus}, left out")
            continue

        def make(part: Ingredient = part) -> list[Example]:
            return recorded_examples(corpus, part.kind, copies=part.copies, seed=part.seed)

        examples = cached_examples(cache / f"{part.kind}.npz", make)
        report(f"{part.kind}: {sum(map(len, examples)) / 90_000:.2f} h of examples")
        kinds.append(Kind(part.kind, part.share, examples))
    if not kinds:
        raise BadInput(
            f"None of the corpora {', '.join(part.kind for part in RECIPE)} lies in {corpus}.",
            remedy="Build them with `lipstream corpus`.",
        )
    quiet = cached_examples(
        cache / "nonspeech.npz", lambda: nonspeech_examples(nonspeech_hours, seed=_NONSPEECH_SEED)
    )
    return [*kinds, Kind(NONSPEECH, _NONSPEECH_SHARE, quiet)]


def development_speech(folder: Path) -> list[DevSpeech]:
    """Held-out real speech of the speakers that serve development; the others are the test."""
    utterances = list(read_corpus(folder))
    speakers = {utterance.speaker for utterance in utterances}
    return dev_speech([u for u in utterances if is_dev_speaker(u.speaker, speakers)])
