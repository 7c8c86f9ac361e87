"""An emotion over speech: shapes added to the mouth that speaks, so that its words stay readable.

Lips that meet stay together, a tucked lip stays tucked, rounded lips stay round, and an open vowel
is not pressed shut: each of these takes away what would spoil it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lipstream.face.arkit import INDEX
from lipstream.face.motion import Floats
from lipstream.motion.controls import Control, aperture
from lipstream.motion.emotions import SHAPES, by_shape
from lipstream.motion.noise import Doubles

__all__ = ["expressed"]

_SPOILT: tuple[Mapping[str, float], ...] = (
    # lips together
    {
        **{"jawOpen": 0.75, "mouthFunnel": 1, "mouthUpperUp": 1, "mouthLowerDown": 1},
        **{"mouthStretch": 0.5},
    },
    # lower lip under the teeth
    {
        **{"jawOpen": 0.9, "mouthFunnel": 1, "mouthLowerDown": 1, "mouthShrugLower": 1},
        **{"mouthPress": 1, "mouthStretch": 0.5, "mouthSmile": 0.3, "mouthFrown": 0.5},
        **{"mouthRollUpper": 1, "mouthUpperUp": 0.7},
    },
    # lips round
    {
        **{"jawOpen": 0.5, "mouthSmile": 0.85, "mouthStretch": 1, "mouthDimple": 1},
        **{"mouthFrown": 0.6, "mouthUpperUp": 0.8, "mouthLowerDown": 0.8, "mouthPress": 1},
        **{"mouthRollUpper": 1, "mouthRollLower": 1, "mouthLeft": 0.5},
    },
    # lips parted
    {
        **{"mouthPress": 1, "mouthRollUpper": 1, "mouthRollLower": 1, "mouthShrugLower": 0.8},
    },
    # somebody speaks: what the emotion opens at rest, the words decide
    {
        **{"jawOpen": 0.7, "mouthFunnel": 0.8, "mouthLowerDown": 0.5, "mouthUpperUp": 0.35},
        **{"mouthStretch": 0.4, "mouthSmile": 0.15, "mouthPress": 0.4, "mouthRollLower": 0.7},
        **{"mouthRollUpper": 0.4, "mouthShrugLower": 0.4, "jawForward": 0.3},
    },
    # a lid comes down
    {"eyeWide": 1, "eyeSquint": 0.5},
)
"""What each state of mouth and lids takes away of the emotion's shapes, by name without a side."""
_PARTED, _ROUNDED = 0.2, 0.6
"""Aperture of lips that are clearly parted, rounding of lips that are clearly round."""


_TAKEN = np.array([by_shape(taken) for taken in _SPOILT])  # [6, 52]


def expressed(
    speech: Floats,  # [T, 52]
    controls: Floats,  # [T, 10]
    opening: Doubles,  # [T]
    lids: Doubles,  # [T]
    weights: Doubles,  # [T, 11]
) -> Floats:  # [T, 52]
    """A face that speaks, with the emotions' shapes.

    Args:
        speech: ARKit weights without emotion.
        controls: articulation behind them, as if somebody spoke all the time.
        opening: how far that counts, 0 in silence to 1.
        lids: 0 open, 1 shut, of blinks.
        weights: of the rows of `SHAPES`.
    """
    shut, tucked = controls[:, Control.CLOSE] * opening, controls[:, Control.TUCK] * opening
    rounding = controls[:, Control.PUCKER] + 0.6 * controls[:, Control.FUNNEL]
    state = np.stack(
        [
            shut,
            tucked,
            rounding * opening / _ROUNDED,
            aperture(controls) * opening / _PARTED,
            opening,
            lids,
        ],
        axis=1,
    )
    kept = np.clip(1 - np.einsum("tk,ks->ts", np.clip(state, 0, 1), _TAKEN), 0, 1)
    added = np.clip(np.einsum("te,es->ts", weights, SHAPES), 0, 1) * kept
    face = np.asarray(speech + added - speech * added, np.float32)
    # Lips that meet do so on whatever jaw the emotion leaves.
    jaw, close = INDEX["jawOpen"], INDEX["mouthClose"]
    face[:, close] += shut * (face[:, jaw] - speech[:, jaw])
    return face
