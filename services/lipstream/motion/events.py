"""From the probability that the lips are shut to lips that are shut, or are not.

A probability makes poor motion: half closed lips read as nothing. Above the upper bound an event is
complete, below the lower one it is absent, and the steep flank between keeps motion continuous.
While the chance of a closure rises, less is enough: its time is known to a frame or so, which
spreads its probability over two, and lips that shut at the first and part when the chance falls
close on time and leave the vowel behind a closure open.
"""

from __future__ import annotations

import numpy as np

from lipstream.face.motion import Floats
from lipstream.motion.controls import EVENTS, Control

__all__ = ["frames_before", "sharpened"]

_BOUNDS = {Control.CLOSE: (0.75, 0.90), Control.TUCK: (0.20, 0.60)}
_RISING = {Control.CLOSE: (0.15, 0.25)}


def sharpened(controls: Floats, before: Floats) -> Floats:
    """Controls `# [..., 10]` with decided events.

    Args:
        controls: `# [..., 10]`, events as probabilities.
        before: the same of the frame before each. `# [..., 10]`
    """
    decided = controls.copy()
    for event in EVENTS:
        chance = controls[..., event]
        shown: Floats = _flank(chance, *_BOUNDS[event])
        if event in _RISING:
            rising = chance >= before[..., event]
            shown = np.maximum(shown, np.where(rising, _flank(chance, *_RISING[event]), 0))
        decided[..., event] = shown
    return decided


def frames_before(controls: Floats, first: Floats) -> Floats:
    """The frame before each frame of `controls` `# [T, 10]`, where `first` `# [10]` leads."""
    led: Floats = np.concatenate([first[None], controls])
    return led[: len(controls)]


def _flank(chance: Floats, low: float, high: float) -> Floats:
    return np.asarray(np.clip((chance - low) / (high - low), 0, 1), np.float32)
