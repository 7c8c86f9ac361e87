"""What each emotion does to a face at full intensity: ARKit shapes, the lean of the head, the eyes.

Recipes are put together of action units (P. Ekman, W. Friesen, J. Hager, "Facial Action Coding
System", 2002). ARKit's shapes stand for them:

    AU1 browInnerUp           AU10 mouthUpperUp           AU23 mouthRoll
    AU2 browOuterUp           AU12 mouthSmile             AU24 mouthPress
    AU4 browDown              AU14 mouthDimple            AU25 mouthLowerDown
    AU5 eyeWide               AU15 mouthFrown             AU26 jawOpen
    AU6 cheekSquint           AU16 mouthLowerDown         AU29 jawForward
    AU7 eyeSquint             AU17 mouthShrugLower        AU43 eyeBlink
    AU9 noseSneer             AU20 mouthStretch           AU51.. head and eyes

    amazement    1 + 2 + 5 + 26, head back
    anger        4 + 5 + 7 + 9 + 15 + 17 + 23 + 24 + 29, chin down
    cheekiness   4 + 6 + 7 + 12 + 14 + 43 of the left side, 2 of the right, head tilted and turned
    disgust      4 + 6 + 7 + 9 + 10 + 15 + 17, head drawn back and aside
    fear         1 + 2 + 4 + 5 + 15 + 20 + 25 + 26, head back
    grief        1 + 4 + 6 + 7 + 10 + 15 + 17 + 20 + 25 + 26 + 43, head and eyes down
    joy          2 + 6 + 7 + 12 + 14 + 25 + 26
    outofbreath  1 + 15 + 25 + 26 + 43, and the jaw, the nostrils and the head with every breath
    pain         4 + 6 + 7 + 9 + 10 + 15 + 20 + 25 + 43, head aside
    sadness      1 + 4 + 15 + 17 + 43, head and eyes down
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lipstream.face.arkit import BLENDSHAPE_COUNT, INDEX
from lipstream.face.face_controls import EMOTIONS
from lipstream.motion.noise import Doubles

__all__ = ["LEANS", "SHAPES", "by_shape", "with_breath"]


@dataclass(frozen=True, slots=True)
class _Recipe:
    shapes: Mapping[str, float]
    """A name without its side stands for both."""
    head_deg: tuple[float, float, float] = (0, 0, 0)  # pitch, yaw, roll
    head_mm: tuple[float, float, float] = (0, 0, 0)  # left, up, forwards
    gaze_deg: tuple[float, float] = (0, 0)  # yaw, pitch


_RECIPES: Mapping[str, _Recipe] = {
    "amazement": _Recipe(
        {"browInnerUp": 1, "browOuterUp": 1, "eyeWide": 1, "jawOpen": 0.42, "mouthFunnel": 0.2},
        (2.5, 0, 0),
        (0, 0, -6),
    ),
    "anger": _Recipe(
        {
            **{"browDown": 1, "eyeSquint": 0.45, "eyeWide": 0.35, "noseSneer": 0.55},
            **{"mouthPress": 0.6, "mouthRollUpper": 0.3, "mouthRollLower": 0.2},
            **{"mouthFrown": 0.7, "mouthShrugLower": 0.25, "jawForward": 0.4},
        },
        (-5, 0, 0),
        (0, 0, 8),
    ),
    "cheekiness": _Recipe(
        {
            **{"mouthSmileLeft": 1, "mouthSmileRight": 0.15, "mouthDimpleLeft": 1},
            **{"mouthLeft": 0.5, "cheekSquintLeft": 1, "eyeSquintLeft": 0.8},
            **{"eyeBlinkLeft": 0.3, "browDownLeft": 0.5, "browOuterUpRight": 1},
        },
        (-2, -4, 6),
    ),
    "disgust": _Recipe(
        {
            **{"browDown": 0.65, "cheekSquint": 0.6, "eyeSquint": 0.75, "noseSneer": 1},
            **{"mouthUpperUp": 0.7, "mouthFrown": 0.55, "mouthShrugLower": 0.35},
        },
        (2, 5, -2),
        (0, 0, -8),
    ),
    "fear": _Recipe(
        {
            **{"browInnerUp": 1, "browOuterUp": 0.3, "browDown": 0.35, "eyeWide": 1},
            **{"mouthStretch": 0.9, "mouthLowerDown": 0.35, "mouthFrown": 0.5, "jawOpen": 0.16},
        },
        (1, 0, 0),
        (0, 0, -10),
    ),
    "grief": _Recipe(
        {
            **{"browInnerUp": 1, "browDown": 0.6, "eyeSquint": 0.5, "cheekSquint": 0.7},
            **{"eyeBlink": 0.22, "mouthFrown": 1, "mouthShrugLower": 0.3, "mouthStretch": 0.5},
            **{"mouthLowerDown": 0.5, "mouthUpperUp": 0.2, "jawOpen": 0.2},
        },
        (-7, 0, 5),
        (0, -2, 0),
        (0, -5),
    ),
    "joy": _Recipe(
        {
            **{"mouthSmile": 1, "mouthDimple": 0.6, "mouthStretch": 0.25, "mouthUpperUp": 0.25},
            **{"mouthLowerDown": 0.3, "jawOpen": 0.2, "cheekSquint": 1, "eyeSquint": 0.4},
            **{"browOuterUp": 0.3},
        },
        (1.5, 0, -2),
    ),
    "outofbreath": _Recipe(
        {
            **{"browInnerUp": 0.5, "browOuterUp": 0.1, "eyeBlink": 0.22, "jawOpen": 0.36},
            **{"mouthFunnel": 0.25, "mouthLowerDown": 0.25, "mouthFrown": 0.3},
        },
        (4, 0, 0),
    ),
    "pain": _Recipe(
        {
            **{"browDown": 1, "cheekSquint": 1, "eyeSquint": 1, "eyeBlink": 0.6, "noseSneer": 0.8},
            **{"mouthUpperUp": 0.5, "mouthStretch": 0.9, "mouthLowerDown": 0.6, "jawOpen": 0.08},
            **{"mouthFrown": 0.5},
        },
        (-2, 4, 6),
    ),
    "sadness": _Recipe(
        {
            **{"browInnerUp": 1, "browDown": 0.2, "eyeBlink": 0.25, "mouthFrown": 0.8},
            **{"mouthShrugLower": 0.35},
        },
        (-5, 0, 3),
        (0, -2, 0),
        (0, -6),
    ),
}
_BREATH = _Recipe(
    {"jawOpen": 0.12, "mouthFunnel": 0.1, "noseSneer": 0.1, "browInnerUp": 0.1},
    (1.6, 0, 0),
    (0, 3, 0),
)
"""At the height of a breath, added to `outofbreath`; as much is taken away at its end."""
_BREATHS_HZ = 0.75


def by_shape(weights: Mapping[str, float]) -> Doubles:  # [52]
    """Numbers by name in ARKit's order; a name without its side stands for both."""
    row = np.zeros(BLENDSHAPE_COUNT)
    for name, weight in weights.items():
        row[
            [INDEX[own] for own in ((name,) if name in INDEX else (name + "Left", name + "Right"))]
        ] = weight
    return row


def _lean(recipe: _Recipe) -> Doubles:  # [8]
    return np.concatenate(
        [np.radians(recipe.head_deg), recipe.head_mm, np.radians(recipe.gaze_deg)]
    )


_ROWS = (*(_RECIPES[name] for name in EMOTIONS), _BREATH)
SHAPES = np.array([by_shape(row.shapes) for row in _ROWS])  # [11, 52]
LEANS = np.array([_lean(row) for row in _ROWS])  # [11, 8]
"""Rows of both: the emotions in order, then a breath of `outofbreath`. A lean is head pitch, yaw,
roll (radians), translation to the left, up, forwards (mm), gaze yaw and pitch (radians), in the
conventions of `Motion`."""


def with_breath(weights: Doubles, time_s: Doubles) -> Doubles:  # [T, 10], [T] -> [T, 11]
    """Weights of the rows of `SHAPES` and `LEANS`.

    Args:
        weights: of the emotions. Together they make one whole face at most.
        time_s: of each frame, which decides where in a breath it is.
    """
    whole = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1)
    breath = whole[:, EMOTIONS.index("outofbreath")] * np.sin(2 * np.pi * _BREATHS_HZ * time_s)
    return np.concatenate([whole, breath[:, None]], axis=1)
