"""Do the figures tell right speech from wrong: each clip against its own, moved, and others'.

A figure is of use only if real people do well by it on their own speech and badly on any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lipstream.errors import BadInput
from lipstream.evaluation.video.score import Held, VideoScore, mean_score, score_video
from lipstream.evaluation.video.sight import Sight
from lipstream.evaluation.video.wrong_speech import cut_to, shifted

__all__ = ["SWAPPED", "Control", "Separation", "separate"]

SWAPPED = "swapped"
_MOST_ROTATIONS = 20


@dataclass(frozen=True, slots=True)
class Control:
    """The clips against one kind of wrong speech."""

    pooled: VideoScore
    pooled_range: tuple[float, float]
    """Lowest and highest `agreement` of the pool: over the rotations, where speech is swapped."""
    clips_beaten: int
    """Clips whose `agreement` is higher on their own speech; where speech is swapped, higher than
    the mean over all others'."""
    clips_beaten_by_all: int
    """Of them, those where it is higher than on each of the others."""


@dataclass(frozen=True, slots=True)
class Separation:
    true: VideoScore
    by_clip: tuple[VideoScore, ...]
    controls: dict[str, Control]


def separate(
    sights: Sequence[Sight], shifts_ms: Iterable[int] = (), *, swap: bool = False
) -> Separation:
    """Score clips against their own speech and against wrong speech.

    Args:
        shifts_ms: speech that much later than the pictures.
        swap: also the speech of other clips. The clips' speech is rotated through all places, or
            twenty of them, so that each pool is as large as the true one.

    Raises:
        BadInput: there is no speech to score, or a single clip is to be swapped.
    """
    if swap and len(sights) < 2:
        raise BadInput("A single clip cannot be swapped.", remedy="Give two or more, or --no-swap.")
    true = [Held(sight, sight.speech) for sight in sights]
    by_clip = tuple(score_video([held]) for held in true)
    own = [score.agreement for score in by_clip]
    controls = {}
    for shift_ms in shifts_ms:
        moved = [Held(sight, shifted(sight.speech, shift_ms)) for sight in sights]
        controls[f"{shift_ms:+d} ms"] = _control(own, [moved])
    if swap:
        count = len(sights)
        turns = range(1, count, -(-(count - 1) // _MOST_ROTATIONS))
        controls[SWAPPED] = _control(own, [_rotated(sights, turn) for turn in turns])
    return Separation(score_video(true), by_clip, controls)


def _rotated(sights: Sequence[Sight], turn: int) -> list[Held]:
    others = [*sights[turn:], *sights[:turn]]
    return [
        Held(sight, cut_to(other.speech, len(sight.speech.samples)))
        for sight, other in zip(sights, others, strict=True)
    ]


def _control(own: Sequence[float], trials: Sequence[Sequence[Held]]) -> Control:
    """
    Args:
        own: each clip's `agreement` on its own speech.
        trials: for each kind of wrong speech, each clip against it.
    """
    pooled = [score_video(trial) for trial in trials]
    beaten = beaten_by_all = 0
    for clip, agreement in enumerate(own):
        wrong = [score for trial in trials if (score := _agreement(trial[clip])) is not None]
        beaten += bool(wrong) and agreement > sum(wrong) / len(wrong)
        beaten_by_all += bool(wrong) and agreement > max(wrong)
    agreements = [score.agreement for score in pooled]
    return Control(mean_score(pooled), (min(agreements), max(agreements)), beaten, beaten_by_all)


def _agreement(held: Held) -> float | None:
    try:
        return score_video([held]).agreement
    except BadInput:  # none of the other's speech falls into this clip
        return None
