"""Driving an avatar: from motion to the weights of the model's own shapes and colours.

Runs for every frame, so it is plain numpy on small arrays.
"""

from __future__ import annotations

import numpy as np

from lipstream.face.arkit import BLENDSHAPE_COUNT, INDEX
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats
from lipstream.face.shape_names import (
    LID_LEFT,
    LID_RIGHT,
    LIP_REST,
    MOUTH_SHADE,
    PHOTO_PART,
    PHOTO_SMILE,
    TONGUE_TIP,
)

__all__ = [
    "LOOK_RAD",
    "REST_SMILE",
    "color_weights",
    "photo_weights",
    "shape_weights",
]

LOOK_RAD = 0.42
"""Turn of an eye at weight 1 of a look shape: 5 mm on a ball of 12 mm."""
REST_SMILE = 0.35
"""How much of the photo's smile stays at rest: it is part of the likeness."""

_MOST = 1.3
"""Weights are cut here: rigs break far outside the range that ARKit promises."""
_ROUND = [INDEX["mouthPucker"], INDEX["mouthFunnel"]]
_FROWNS = [INDEX["mouthFrownLeft"], INDEX["mouthFrownRight"]]
_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
_TONGUE = INDEX["tongueOut"]
_TIP_UP, _TIP_OVER = 0.12, 0.6
"""`tongueOut` at which the tip has risen to the upper teeth, and at which it hangs over the lip.
Speech uses little of it: ARKit's shape alone, which ends over the lower lip, would show nothing."""
_TUCK = INDEX["mouthRollLower"]
_LOOKS = np.array(
    [
        # gaze component, positive and negative shape
        (0, INDEX["eyeLookOutLeft"], INDEX["eyeLookInLeft"]),
        (1, INDEX["eyeLookUpLeft"], INDEX["eyeLookDownLeft"]),
        (2, INDEX["eyeLookInRight"], INDEX["eyeLookOutRight"]),
        (3, INDEX["eyeLookUpRight"], INDEX["eyeLookDownRight"]),
    ]
)
_UPPER_LIP = [81, 82, 13, 312, 311]
_LOWER_LIP = [178, 87, 14, 317, 402]
_CORNERS = (78, 308)
_DARK_MM2, _LIT_MM2 = 20.0, 380.0
"""Opening of the mouth, gap x width, at which its inside is dark and fully lit."""
_ROUND_SHADE = 0.5
"""Lips that are rounded stand before the teeth and shade them."""
_TUCK_MM = 3.0
"""Gap over a tucked lip at which the teeth that hold it are fully lit."""


def shape_weights(model: AvatarModel, blendshapes: Floats, gaze: Floats) -> Floats:  # [K]
    """Weights of the model's shapes for one frame of motion.

    Args:
        blendshapes: `# [52]`, ARKit order.
        gaze: `# [4]` left yaw, left pitch, right yaw, right pitch; radians. Adds to the
            eyeLook shapes.
    """
    names = model.surface.shapes.names
    weights = np.zeros(len(names), np.float32)
    np.clip(blendshapes, 0, _MOST, out=weights[:BLENDSHAPE_COUNT])
    turn = np.asarray(gaze, np.float32)[_LOOKS[:, 0]] / np.float32(LOOK_RAD)
    weights[_LOOKS[:, 1]] += turn.clip(0, None)
    weights[_LOOKS[:, 2]] += (-turn).clip(0, None)
    np.clip(weights, 0, _MOST, out=weights)
    if PHOTO_SMILE in names:
        # A mouth that is rounded, or whose corners are drawn down, cannot smile.
        frowning = min(1.0, float(weights[_FROWNS].mean()) / 0.5)
        weights[names.index(PHOTO_SMILE)] = REST_SMILE * (1 - _rounded(weights)) * (1 - frowning)
    if TONGUE_TIP in names:
        out = float(weights[_TONGUE])
        over = (_TIP_OVER - out) / (_TIP_OVER - _TIP_UP)
        weights[names.index(TONGUE_TIP)] = min(out / _TIP_UP, 1.0, max(over, 0.0))
    return weights


def photo_weights(model: AvatarModel) -> Floats:  # [K]
    """Weights that give back the photo that the avatar was made from."""
    names = model.surface.shapes.names
    weights = np.zeros(len(names), np.float32)
    weights[[names.index(PHOTO_SMILE), names.index(PHOTO_PART)]] = 1
    return weights


def color_weights(model: AvatarModel, shape_weights: Floats, vertices: Floats) -> Floats:  # [J]
    """Weights of the model's colour shapes for a deformed face.

    Args:
        shape_weights: `# [K]`.
        vertices: `# [V, 3]` mm, deformed, head frame.
    """
    names = model.surface.shapes.names
    left, right = shape_weights[_BLINKS]
    in_photo = 0.0
    if PHOTO_SMILE in names and PHOTO_PART in names:
        in_photo = float(
            min(shape_weights[names.index(PHOTO_SMILE)], shape_weights[names.index(PHOTO_PART)])
        )
    gap = float((vertices[_LOWER_LIP, 1] - vertices[_UPPER_LIP, 1]).max())
    width = abs(float(vertices[_CORNERS[1], 0] - vertices[_CORNERS[0], 0]))
    lit = min(max((max(gap, 0.0) * width - _DARK_MM2) / (_LIT_MM2 - _DARK_MM2), 0.0), 1.0)
    lit = lit * lit * (3 - 2 * lit) * (1 - _ROUND_SHADE * _rounded(shape_weights))
    # A tongue that is out, and teeth that hold the lower lip, are in the light.
    tucked = min(float(shape_weights[_TUCK]), gap / _TUCK_MM, 1.0)
    lit = max(lit, tucked, min(1.0, float(shape_weights[_TONGUE]) / _TIP_UP))
    values = {
        LID_LEFT: min(1.0, 1.6 * float(left)),
        LID_RIGHT: min(1.0, 1.6 * float(right)),
        LIP_REST: 1 - min(max(in_photo, 0.0), 1.0),
        MOUTH_SHADE: 0.95 * (1 - lit),
    }
    return np.array([values.get(n, 0.0) for n in model.color_shapes.names], np.float32)


def _rounded(shape_weights: Floats) -> float:
    """0..1, from weights `# [K]`."""
    return min(1.0, float(shape_weights[_ROUND].sum()) / 0.6)
