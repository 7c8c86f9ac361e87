"""Where speech pauses, by its labels and its level: long enough for a mouth to come to rest."""

from __future__ import annotations

import numpy as np

from lipstream.evaluation.utterance import SAMPLE_RATE_HZ, Utterance
from lipstream.face.motion import Floats
from lipstream.motion.phones import SILENCE, fill_silences

__all__ = ["PAUSES", "pauses_s"]

PAUSES = "pauses"
"""Their name beside the quiet sounds."""
_MARGIN_S = 0.3
_SHORTEST_S = 0.2
_QUIETER_DB = 15.0


def pauses_s(utterance: Utterance) -> list[tuple[float, float]]:
    """Start and end of each silence less 0.3 s at both its ends, of those that leave 0.2 s.

    Silences that follow each other are one. Aligners label as silence what they do not understand,
    so what is not at least 15 dB under the speech is no pause.
    """
    samples = utterance.waveform
    spans: list[tuple[float, float]] = []
    speech = []
    for segment in fill_silences(utterance.segments, utterance.duration_s):
        if segment.symbol != SILENCE:
            speech.append(_between(samples, segment.start_s, segment.end_s))
        elif spans and segment.start_s - spans[-1][1] < 1e-3:
            spans[-1] = (spans[-1][0], segment.end_s)
        else:
            spans.append((segment.start_s, segment.end_s))
    if not speech:
        return []
    loudest = 10 ** (-_QUIETER_DB / 20) * _rms(np.concatenate(speech))
    ends_s = utterance.duration_s
    inner = [(start_s + _MARGIN_S, min(end_s, ends_s) - _MARGIN_S) for start_s, end_s in spans]
    return [
        (start_s, end_s)
        for start_s, end_s in inner
        if end_s - start_s >= _SHORTEST_S and _rms(_between(samples, start_s, end_s)) <= loudest
    ]


def _between(samples: Floats, start_s: float, end_s: float) -> Floats:
    return samples[int(start_s * SAMPLE_RATE_HZ) : int(end_s * SAMPLE_RATE_HZ)]


def _rms(samples: Floats) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if len(samples) else 0.0
