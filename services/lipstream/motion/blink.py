"""Blinks: 15 to 20 a minute at log-normal intervals, fewer within a phrase, more at its end.

Closing takes 100 to 150 ms and opening 200 to 300 ms (A. Bentivoglio et al., "Analysis of blink
rate patterns in normal subjects", 1997; K.-A. Kwon et al., "High-speed camera characterization of
voluntary eye blinking kinematics", 2013).
"""

from __future__ import annotations

from typing import NamedTuple

from lipstream.motion.noise import lognormal, uniform

__all__ = ["BLINKS_PER_MIN", "BlinkState", "advance_blink"]

BLINKS_PER_MIN = 17.0
"""In silence, as nobody asks for another rate."""

_INTERVALS = 100  # streams of noise
_CLOSING, _OPENING, _DEEP = 101, 102, 103
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
    wait_s: float
    """Until the next blink, if time went at its usual pace."""
    number: float
    age_s: float
    """Since the last blink started."""
    closure: float
    """0 open, 1 shut"""


def advance_blink(
    state: BlinkState,
    seed: int,
    *,
    speaking: bool,
    pause_s: float,
    pace: float,
    step_s: float,
) -> BlinkState:
    """The lids one frame later.

    Args:
        speaking: whether the voice is in a phrase.
        pause_s: time since it last was.
        pace: of blinks, 1 as people blink, 0 for none.
    """
    usual = _PHRASE_RATE if speaking else _PAUSE_RATE if pause_s < _PAUSE_S else 1.0
    wait_s = state.wait_s - pace * usual * step_s
    age_s = min(state.age_s + step_s, _OLDEST_S)
    number = state.number
    # A blink that is under way is finished first.
    if wait_s <= 0 and age_s >= _LONGEST_BLINK_S:
        number += 1
        interval_s = lognormal(
            seed, _INTERVALS, int(number), median=_MEDIAN_INTERVAL_S, spread=_SPREAD
        )
        wait_s = min(max(interval_s, _SHORTEST_S), _LONGEST_S)
        age_s = step_s / 2
    return BlinkState(wait_s, number, age_s, _closure(seed, int(number), age_s))


def _closure(seed: int, number: int, age_s: float) -> float:
    def drawn(stream: int, low: float, high: float) -> float:
        return low + uniform(seed, stream, number) * (high - low)

    closing_s = drawn(_CLOSING, *_CLOSING_S)
    falling = min(age_s / closing_s, 1.0)
    # The lid rises fast at first and slowly at the end.
    rising = (age_s - closing_s - _DOWN_S) / drawn(_OPENING, *_OPENING_S)
    rising = min(max(rising, 0.0), 1.0)
    down = falling * falling * (3 - 2 * falling)
    return drawn(_DEEP, *_DEPTH) * down * (1 - rising) ** 2 * (1 + 2 * rising)
