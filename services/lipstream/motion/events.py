"""From the probability that the lips are shut to lips that are shut, or are not.

A probability makes poor motion: half closed lips read as nothing. Above the upper bound an event is
complete, below the lower one it is absent, and the steep flank between keeps motion continuous.

The time of a closure is known to a frame or so, which spreads its probability over two or three. So
less is enough while it rises and the frame to come does not promise much more: the lips shut once,
on time, and leave the vowels beside the closure open.
"""

from __future__ import annotations

import numpy as np

from lipstream.errors import Internal
from lipstream.face.motion import Floats
from lipstream.inference import ModelRunner
from lipstream.motion.controls import CONTROL_COUNT, EVENTS, Control, within_bounds

__all__ = ["OUTPUT_COUNT", "check_output", "frames_before", "sharpened", "split_output"]

OUTPUT_COUNT = CONTROL_COUNT + len(EVENTS)
"""Of a motion network: the controls of a frame, then the chance of each event in the next frame
with what has been heard so far, 0 where nothing has."""

_BOUNDS = {Control.CLOSE: (0.85, 0.95), Control.TUCK: (0.20, 0.60), Control.TONGUE: (0.20, 0.90)}
_RISING = {Control.CLOSE: (0.15, 0.25)}
_ENOUGH = 0.6
"""Of the chance in the frame to come, below which a rising closure waits for that frame."""


def check_output(model: ModelRunner) -> None:
    """
    Raises:
        Internal: the motion network gives other numbers, as one of before an event was added does.
    """
    found = model.width("controls")
    if found != OUTPUT_COUNT:
        raise Internal(
            f"The motion model gives {found} numbers a frame; {OUTPUT_COUNT} were expected.",
            remedy="Use the model that came with this version, or train and export your own again.",
            code="model_mismatch",
        )


def split_output(output: Floats) -> tuple[Floats, Floats]:  # [..., 13] -> [..., 10], [..., 3]
    """Controls of each frame, and the events of the one after it."""
    return output[..., :CONTROL_COUNT], output[..., CONTROL_COUNT:]


def sharpened(controls: Floats, before: Floats, coming: Floats) -> Floats:
    """Controls `# [..., 10]` with decided events.

    Args:
        controls: `# [..., 10]`, events as probabilities.
        before: the same of the frame before each. `# [..., 10]`
        coming: probability of each event in the frame after. `# [..., 3]`
    """
    decided = controls.copy()
    for place, event in enumerate(EVENTS):
        chance = controls[..., event]
        shown: Floats = _flank(chance, *_BOUNDS[event])
        if event in _RISING:
            rises = (chance >= before[..., event]) & (chance >= _ENOUGH * coming[..., place])
            shown = np.maximum(shown, np.where(rises, _flank(chance, *_RISING[event]), 0))
        decided[..., event] = shown
    return decided


def frames_before(controls: Floats, first: Floats) -> Floats:
    """The frame before each frame of `controls` `# [T, 10]`, where `first` `# [10]` leads."""
    led: Floats = np.concatenate([first[None], controls])
    return led[: len(controls)]


def _flank(chance: Floats, low: float, high: float) -> Floats:
    return np.asarray(within_bounds((chance - low) / (high - low)), np.float32)
