"""Blinks: 15 to 20 a minute at log-normal intervals, fewer within a phrase, more at its end.

Closing takes 100 to 150 ms and opening 200 to 300 ms (A. Bentivoglio et al., "Analysis of blink
rate patterns in normal subjects", 1997; K.-A. Kwon et al., "High-speed camera characterization of
voluntary eye blinking kinematics", 2013).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lipstream.motion.noise import lognormal, uniform

__all__ = ["BlinkState", "advance_blink"]

_INTERVALS, _CLOSING, _OPENING, _DEPTH = range(100, 104)  # streams of noise
_MEDIAN_INTERVAL_S = 3.2
_SPREAD = 0.5
_SHORTEST_S, _LONGEST_S = 0.6, 9.0
_CLOSING_S = (0.10, 0.15)
_OPENING_S = (0.20, 0.30)
_PHRASE_RATE = 0.8
_PAUSE_RATE = 3.0
_PAUSE_S = 0.4
"""A pause this young invites a blink."""


@dataclass(frozen=True, slots=True)
class BlinkState:
    wait_s: float = 1.5
    """Until the next blink, if time went at its usual pace."""
    index: int = 0
    age_s: float = 10.0
    """Since the last blink started."""
    closure: float = 0.0
    """0 open, 1 shut"""


def advance_blink(
    state: BlinkState, seed: int, *, speaking: bool, pause_s: float, step_s: float
) -> BlinkState:
    """The lids one frame later.

    Args:
        speaking: whether the voice is in a phrase.
        pause_s: time since it last was.
    """
    pace = _PHRASE_RATE if speaking else _PAUSE_RATE if pause_s < _PAUSE_S else 1.0
    wait_s = state.wait_s - pace * step_s
    age_s = min(state.age_s + step_s, 10.0)
    index = state.index
    if wait_s <= 0:
        index += 1
        age_s = step_s / 2
        interval = lognormal(seed, _INTERVALS, index, median=_MEDIAN_INTERVAL_S, spread=_SPREAD)
        wait_s = min(max(interval, _SHORTEST_S), _LONGEST_S)
    state = replace(state, wait_s=wait_s, index=index, age_s=age_s)
    return replace(state, closure=_closure(seed, index, age_s))


def _closure(seed: int, index: int, age_s: float) -> float:
    closing_s = _between(_CLOSING_S, uniform(seed, _CLOSING, index))
    opening_s = _between(_OPENING_S, uniform(seed, _OPENING, index))
    depth = 0.94 + 0.06 * uniform(seed, _DEPTH, index)
    if age_s < closing_s:
        t = age_s / closing_s
        return depth * t * t * (3 - 2 * t)
    # The lid stays down for a moment, then rises fast at first and slowly at the end.
    t = (age_s - closing_s - 0.02) / opening_s
    if t <= 0:
        return depth
    return depth * (1 - t) ** 2 * (1 + 2 * t) if t < 1 else 0.0


def _between(bounds: tuple[float, float], share: float) -> float:
    return bounds[0] + share * (bounds[1] - bounds[0])
