"""Whether the mouth may move: open while somebody speaks, shut and still otherwise.

Networks twitch a little on noise and music. The gate listens to the encoder's probability of speech
and to loudness, with hysteresis: it opens at once, ahead of the sound thanks to the look-ahead, and
closes gently after a short hold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lipstream.motion.noise import Doubles

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
    """Of sessions, all `# [B]`."""

    speaking: Doubles
    """1 or 0"""
    quiet_s: Doubles
    """Time since speech was last likely."""
    opening: Doubles
    """How far the gate is open, 0..1: the factor on the mouth's motion."""


def advance_gate(state: GateState, speech: Doubles, loudness: Doubles, step_s: float) -> GateState:
    """The gate one frame later.

    Args:
        speech: mean probability of speech from this frame to the end of the look-ahead; a mean,
            since the onset of any sound is speech-like for a moment. `# [B]`
        loudness: the highest loudness there. `# [B]`
    """
    likely = np.where(loudness >= _INAUDIBLE, speech, 0.0)
    quiet_s = np.where(likely > _CLOSES_AT, 0.0, state.quiet_s + step_s)
    held = (state.speaking > 0) & (quiet_s <= _HOLD_S)
    speaking = (likely >= _OPENS_AT) | held
    change = np.where(speaking, step_s / _OPENING_S, -step_s / _CLOSING_S)
    opening = np.clip(state.opening + change, 0.0, 1.0)
    return GateState(speaking.astype(np.float64), np.minimum(quiet_s, _LONGEST_QUIET_S), opening)
