"""Put back the closures that a synthesiser's phone events leave out.

espeak-ng marks a stop at its burst; the closure before it, which is what the lips show, counts
there as part of the phone before. It is found again as the quiet stretch ahead of the burst.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lipstream.face.motion import Floats
from lipstream.motion.phones import Segment

__all__ = ["refine_closures"]

_STOPS = frozenset({"p", "t", "k", "b", "d", "g"})
_HOP_S = 0.005
_LONGEST_CLOSURE_S = 0.130
_LEFT_TO_PREVIOUS_S = 0.030


def refine_closures(
    segments: Sequence[Segment],
    samples: Floats,  # [S]
    sample_rate_hz: int,
) -> tuple[Segment, ...]:
    """Start each stop where the quiet before its burst starts, at most 130 ms earlier."""
    hop = int(_HOP_S * sample_rate_hz)
    count = len(samples) // hop
    if count < 4:
        return tuple(segments)
    level = np.sqrt(np.mean(samples[: count * hop].reshape(count, hop) ** 2, axis=1))
    quiet = max(0.04 * float(np.percentile(level, 95)), 1e-3)
    refined = list(segments)
    for index in range(1, len(refined)):
        stop, previous = refined[index], refined[index - 1]
        if stop.symbol not in _STOPS:
            continue
        earliest_s = max(
            previous.start_s + _LEFT_TO_PREVIOUS_S, stop.start_s - _LONGEST_CLOSURE_S, 0.0
        )
        burst = min(int(stop.start_s / _HOP_S), count - 1)
        start = burst
        while start > int(earliest_s / _HOP_S):
            # The burst's own edge may reach one hop ahead of its event.
            bound = 3 * quiet if start > burst - 2 else quiet
            if level[start - 1] >= bound:
                break
            start -= 1
        if start < burst - 2:
            start_s = start * _HOP_S
            refined[index] = replace(stop, start_s=start_s)
            end_s = max(previous.start_s + 0.010, start_s)
            refined[index - 1] = replace(previous, end_s=end_s)
    return tuple(refined)
