"""From the probability that the lips are shut to lips that are shut, or are not.

A probability makes poor motion: half closed lips read as nothing. Above the upper bound the event
is complete, below the lower one it is absent, and the steep flank between keeps motion continuous.
Stateless, so nothing has to be carried between chunks.
"""

from __future__ import annotations

import numpy as np

from lipstream.face.motion import Floats
from lipstream.motion.controls import EVENTS, Control

__all__ = ["sharpened"]

_BOUNDS = {Control.CLOSE: (0.30, 0.55), Control.TUCK: (0.20, 0.60)}


def sharpened(controls: Floats) -> Floats:
    """Controls `# [..., 10]` with decided events.

    Args:
        controls: `# [..., 10]`, events as probabilities.
    """
    decided = controls.copy()
    for event in EVENTS:
        low, high = _BOUNDS[event]
        decided[..., event] = np.clip((controls[..., event] - low) / (high - low), 0, 1)
    return decided
