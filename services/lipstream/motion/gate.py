"""Whether the mouth may move: open while somebody speaks, shut and still otherwise.

Networks twitch a little on noise and music. The gate listens to the encoder's probability of speech
and to loudness, with hysteresis: it opens at once, ahead of the sound thanks to the look-ahead, and
closes gently after a short hold.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["GateState", "advance_gate"]

_OPENS_AT = 0.50
_CLOSES_AT = 0.15
_INAUDIBLE = 0.12
"""Loudness under which nothing is speech, whatever the probability (about -70 dB full scale)."""
_HOLD_S = 0.20
_OPENING_S = 0.08
_CLOSING_S = 0.20
_LONGEST_QUIET_S = 10.0


class GateState(NamedTuple):
    speaking: float
    """1 or 0"""
    quiet_s: float
    """Time since speech was last likely."""
    opening: float
    """How far the gate is open, 0..1: the factor on the mouth's motion."""


def advance_gate(state: GateState, speech: float, loudness: float, step_s: float) -> GateState:
    """The gate one frame later.

    Args:
        speech: mean probability of speech from this frame to the end of the look-ahead; a mean,
            since the onset of any sound is speech-like for a moment.
        loudness: the highest loudness there.
    """
    likely = speech if loudness >= _INAUDIBLE else 0.0
    quiet_s = 0.0 if likely > _CLOSES_AT else state.quiet_s + step_s
    held = state.speaking > 0 and quiet_s <= _HOLD_S
    speaking = likely >= _OPENS_AT or held
    change = step_s / _OPENING_S if speaking else -step_s / _CLOSING_S
    opening = min(max(state.opening + change, 0.0), 1.0)
    return GateState(float(speaking), min(quiet_s, _LONGEST_QUIET_S), opening)
