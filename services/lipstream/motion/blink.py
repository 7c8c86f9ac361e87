"""Blinks: 15 to 20 a minute at log-normal intervals, fewer within a phrase, more at its end.

Closing takes 100 to 150 ms and opening 200 to 300 ms (A. Bentivoglio et al., "Analysis of blink
rate patterns in normal subjects", 1997; K.-A. Kwon et al., "High-speed camera characterization of
voluntary eye blinking kinematics", 2013).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lipstream.motion.noise import Doubles, lognormal, uniform

__all__ = ["BLINKS_PER_MIN", "BlinkState", "advance_blink"]

BLINKS_PER_MIN = 17.0
"""In silence, as nobody asks for another rate."""

_INTERVALS = 100  # streams of noise
_SHAPE = np.array([101, 102, 103])  # of closing, opening, depth
_MEDIAN_INTERVAL_S = 3.2
_SPREAD = 0.5
_SHORTEST_S, _LONGEST_S = 0.6, 9.0
_CLOSING_S = (0.10, 0.15)
_OPENING_S = (0.20, 0.30)
_DEPTH = (0.94, 1.0)
_DOWN_S = 0.02
"""For so long the lid stays down."""
_LONGEST_BLINK_S = _CLOSING_S[1] + _DOWN_S + _OPENING_S[1]
_PHRASE_RATE = 0.8
_PAUSE_RATE = 3.0
_PAUSE_S = 0.4
"""A pause this young invites a blink."""
_OLDEST_S = 10.0


class BlinkState(NamedTuple):
    """Of sessions, all `# [B]`."""

    wait_s: Doubles
    """Until the next blink, if time went at its usual pace."""
    number: Doubles
    age_s: Doubles
    """Since the last blink started."""
    closure: Doubles
    """0 open, 1 shut"""


def advance_blink(
    state: BlinkState,
    seeds: NDArray[np.int64],  # [B]
    *,
    speaking: NDArray[np.bool_],  # [B]
    pause_s: Doubles,  # [B]
    pace: Doubles,  # [B]
    step_s: float,
) -> BlinkState:
    """The lids one frame later.

    Args:
        speaking: whether the voice is in a phrase.
        pause_s: time since it last was.
        pace: of blinks, 1 as people blink, 0 for none.
    """
    usual = np.where(speaking, _PHRASE_RATE, np.where(pause_s < _PAUSE_S, _PAUSE_RATE, 1.0))
    wait_s = state.wait_s - pace * usual * step_s
    age_s = np.minimum(state.age_s + step_s, _OLDEST_S)
    number = state.number
    # A blink that is under way is finished first.
    due = (wait_s <= 0) & (age_s >= _LONGEST_BLINK_S)
    if due.any():
        number = number + due
        interval_s = lognormal(seeds, _INTERVALS, number, median=_MEDIAN_INTERVAL_S, spread=_SPREAD)
        wait_s = np.where(due, np.clip(interval_s, _SHORTEST_S, _LONGEST_S), wait_s)
        age_s = np.where(due, step_s / 2, age_s)
    return BlinkState(wait_s, number, age_s, _closure(seeds, number, age_s))


def _closure(seeds: NDArray[np.int64], number: Doubles, age_s: Doubles) -> Doubles:
    shares = uniform(seeds[:, None], _SHAPE, number[:, None]).T
    bounds = (_CLOSING_S, _OPENING_S, _DEPTH)
    closing_s, opening_s, depth = (
        low + share * (high - low) for (low, high), share in zip(bounds, shares, strict=True)
    )
    falling = np.minimum(age_s / closing_s, 1)
    # The lid rises fast at first and slowly at the end.
    rising = np.clip((age_s - closing_s - _DOWN_S) / opening_s, 0, 1)
    down = falling * falling * (3 - 2 * falling)
    closure: Doubles = depth * down * (1 - rising) ** 2 * (1 + 2 * rising)
    return closure
