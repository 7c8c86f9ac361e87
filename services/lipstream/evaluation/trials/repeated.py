"""The same speech under several seeds: how much a generator varies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lipstream.audio.encoder import SpeechEncoder
from lipstream.evaluation.contenders import Contender, hear
from lipstream.evaluation.diversity import DiversityScore, diversity
from lipstream.evaluation.progress import Progress, quietly
from lipstream.evaluation.utterance import SAMPLE_RATE_HZ, Utterance

__all__ = ["REPEATED_RECORDINGS", "REPEATED_S", "TAKES", "repeated_trial"]

TAKES = 3
REPEATED_RECORDINGS = 12
"""So many recordings at most, spread over all there are, serve the diversity."""
REPEATED_S = 20.0
"""And so much of each."""
_STAGE = "takes of the same"


def repeated_trial(
    recordings: Sequence[Utterance],
    contenders: Sequence[Contender],
    encoder: SpeechEncoder,
    progress: Progress = quietly,
) -> Mapping[str, DiversityScore]:
    """By contender: mean over the recordings, and of the agreements the lowest."""
    every = max(-(-len(recordings) // REPEATED_RECORDINGS), 1)
    chosen = [_cut(utterance) for utterance in recordings[::every]]
    chosen = [utterance for utterance in chosen if utterance.duration_s >= 1]
    scores: dict[str, list[DiversityScore]] = {c.name: [] for c in contenders}
    for place, utterance in enumerate(chosen):
        progress(_STAGE, place / len(chosen))
        heard = hear(utterance, encoder)
        for contender in contenders:
            takes = [contender.motion(heard, seed) for seed in range(TAKES)]
            scores[contender.name].append(diversity(takes))
    progress(_STAGE, 1.0)
    return {name: _mean(parts) for name, parts in scores.items() if parts}


def _cut(utterance: Utterance) -> Utterance:
    samples = utterance.samples[: int(REPEATED_S * SAMPLE_RATE_HZ)]
    return Utterance(utterance.name, utterance.speaker, samples, utterance.segments)


def _mean(scores: Sequence[DiversityScore]) -> DiversityScore:
    return DiversityScore(
        mouth=float(np.mean([s.mouth for s in scores])),
        aperture=float(np.mean([s.aperture for s in scores])),
        agreement_r=min(s.agreement_r for s in scores),
    )
