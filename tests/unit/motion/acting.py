"""A face that speaks one sound for a while, under controls, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lipstream.face.face_controls import FaceControls
from lipstream.face.motion import Motion
from lipstream.motion.controls import CONTROL_COUNT, Control
from lipstream.motion.idle import Voice, alive
from lipstream.motion.idle_state import IdleState

__all__ = ["FPS", "SOUNDS", "STILL", "acted", "held"]

FPS = 25.0
STILL: dict[str, Any] = {"head_motion": 0, "gaze_wander": 0, "blink_rate": 0}
"""Controls that leave nothing to chance."""
SOUNDS: Mapping[str, Mapping[Control, float]] = {
    "rest": {},
    "AA": {Control.JAW: 0.46, Control.UPPER_UP: 0.1, Control.LOWER_DOWN: 0.35},
    "UW": {Control.JAW: 0.12, Control.PUCKER: 0.78, Control.FUNNEL: 0.3},
    "M": {Control.JAW: 0.08, Control.CLOSE: 1, Control.PRESS: 0.3},
    "FV": {Control.JAW: 0.07, Control.TUCK: 0.85, Control.UPPER_UP: 0.22},
}


def acted(
    controls: Mapping[str, Any],
    sound: str = "rest",
    *,
    seconds: float = 1.2,
    seed: int = 0,
    state: IdleState | None = None,
) -> tuple[Motion, IdleState]:
    """Motion of one sound, and the state after it."""
    count = round(seconds * FPS)
    mouth = np.zeros((count, CONTROL_COUNT), np.float32)
    for control, value in SOUNDS[sound].items():
        mouth[:, control] = value
    loud = np.full(count, 0.8 if SOUNDS[sound] else 0, np.float32)
    state = state or IdleState.initial(FaceControls.parse(dict(controls)))
    return alive([mouth], [Voice(loud, loud)], [state], seeds=[seed], fps=FPS)[0]


def held(controls: Mapping[str, Any], sound: str = "rest") -> Motion:
    """One frame of a sound that has been held for a while."""
    return acted({**STILL, **controls}, sound)[0][-1:]
