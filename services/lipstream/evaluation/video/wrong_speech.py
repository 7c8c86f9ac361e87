"""Speech that does not belong to a video: its own moved in time, or that of another clip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lipstream.evaluation.utterance import SAMPLE_RATE_HZ, Utterance
from lipstream.motion.phones import Segment

__all__ = ["cut_to", "shifted"]


def shifted(speech: Utterance, shift_ms: int) -> Utterance:
    """The same speech so much later (earlier where negative) against the pictures."""
    count = len(speech.samples)
    moved = np.zeros(count, np.int16)
    by = round(shift_ms * SAMPLE_RATE_HZ / 1000)
    kept = max(count - abs(by), 0)
    if by >= 0:
        moved[count - kept :] = speech.samples[:kept]
    else:
        moved[:kept] = speech.samples[count - kept :]
    by_s = shift_ms / 1000
    later = tuple(
        replace(segment, start_s=segment.start_s + by_s, end_s=segment.end_s + by_s)
        for segment in speech.segments
    )
    return _cut(replace(speech, segments=later), moved)


def cut_to(speech: Utterance, sample_count: int) -> Utterance:
    """The speech, ended or filled with silence so that it lasts as long as another clip."""
    samples = speech.samples[:sample_count]
    return _cut(speech, np.pad(samples, (0, sample_count - len(samples))))


def _cut(speech: Utterance, samples: NDArray[np.int16]) -> Utterance:
    """With those of its phones whose middle lies within the samples `# [S]`."""
    end_s = len(samples) / SAMPLE_RATE_HZ

    def heard(segment: Segment) -> bool:
        return 0 <= (segment.start_s + segment.end_s) / 2 < end_s

    return replace(speech, samples=samples, segments=tuple(filter(heard, speech.segments)))
