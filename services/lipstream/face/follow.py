"""How the upper body goes along with the head: a little, and never far."""

from __future__ import annotations

import math

import numpy as np

from lipstream.face.motion import Floats

__all__ = ["MOST_MM", "torso_shift"]

MOST_MM = 8.0
"""The body approaches this, however far the head goes."""
_YAW_MM, _PITCH_MM, _ROLL_MM = 16.0, 8.0, 12.0
"""Shift at a turn of one radian, for small turns: a chest is so far before the spine, shoulders
rise so much when someone looks up, and a trunk leans so far under a tilted head."""
_ALONG = 0.5
"""Share of the head's own translation."""


def torso_shift(
    rotation: Floats,  # [3] pitch, yaw, roll; radians
    translation: Floats,  # [3] mm along (person's left, up, towards the camera)
) -> Floats:  # [2] mm, to the person's left and up
    """Where the shoulders are when the head is there; it depends on nothing earlier."""
    pitch, yaw, roll = (math.sin(angle) for angle in rotation)
    x = _ALONG * float(translation[0]) + _YAW_MM * yaw + _ROLL_MM * roll
    y = _ALONG * float(translation[1]) + _PITCH_MM * pitch
    shift = (MOST_MM * math.tanh(x / MOST_MM), MOST_MM * math.tanh(y / MOST_MM))
    return np.array(shift, np.float32)
