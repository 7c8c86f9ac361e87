"""Driving an avatar: from motion to the weights of the model's own shapes and colours.

Runs for every frame, on few numbers: what is done number by number is quicker than numpy.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lipstream.face.arkit import BLENDSHAPE_COUNT, INDEX
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats
from lipstream.face.shape_names import (
    LID_LEFT,
    LID_RIGHT,
    LIP_REST,
    LIP_TUCK,
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
_TIP_UP, _TIP_DOWN = 0.12, (0.4, 0.8)
"""`tongueOut` at which the tip has risen behind the upper teeth; between the other two it sinks to
hang over the lower lip. Speech uses little of it: ARKit's shape alone would show nothing."""
_TUCK = INDEX["mouthRollLower"]
_LOOKS = (
    # positive and negative shape of each component of a gaze
    (INDEX["eyeLookOutLeft"], INDEX["eyeLookInLeft"]),
    (INDEX["eyeLookUpLeft"], INDEX["eyeLookDownLeft"]),
    (INDEX["eyeLookInRight"], INDEX["eyeLookOutRight"]),
    (INDEX["eyeLookUpRight"], INDEX["eyeLookDownRight"]),
)
_UPPER_LIP = [81, 82, 13, 312, 311]
_LOWER_LIP = [178, 87, 14, 317, 402]
_CORNERS = (78, 308)
_DARK_MM2, _LIT_MM2 = 20.0, 380.0
"""Opening of the mouth, gap x width, at which its inside is dark and fully lit."""
_ROUND_SHADE = 0.5
"""Lips that are rounded stand before the teeth and shade them."""
_TUCKED, _TUCK_MM = 0.65, 3.0
"""Weight of the tuck, and gap over the lip, at which teeth hold it: fully lit, and shading it."""


def shape_weights(model: AvatarModel, blendshapes: Floats, gaze: Floats) -> Floats:  # [K]
    """Weights of the model's shapes for one frame of motion.

    Args:
        blendshapes: `# [52]`, ARKit order.
        gaze: `# [4]` left yaw, left pitch, right yaw, right pitch; radians. Adds to the
            eyeLook shapes.
    """
    places = _places(model.surface.shapes.names)
    weights = np.zeros(len(places), np.float32)
    weights[:BLENDSHAPE_COUNT] = blendshapes
    _cut(weights)
    for angle, (positive, negative) in zip(gaze.tolist(), _LOOKS, strict=True):
        weights[positive if angle > 0 else negative] += abs(angle) / LOOK_RAD
    _cut(weights)
    if PHOTO_SMILE in places:
        # A mouth that is rounded, or whose corners are drawn down, cannot smile.
        frowning = min(1.0, float(weights[_FROWNS[0]] + weights[_FROWNS[1]]))
        weights[places[PHOTO_SMILE]] = REST_SMILE * (1 - _rounded(weights)) * (1 - frowning)
    if TONGUE_TIP in places:
        out = float(weights[_TONGUE])
        first, last = _TIP_DOWN
        weights[places[TONGUE_TIP]] = min(out / _TIP_UP, 1.0, max((last - out) / (last - first), 0))
        # First it rises, then it comes out between the teeth.
        weights[_TONGUE] = max(out - _TIP_UP, 0.0) / (1 - _TIP_UP)
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
    places = _places(model.surface.shapes.names)
    left, right = (shape_weights[blink] for blink in _BLINKS)
    in_photo = 0.0
    if PHOTO_SMILE in places and PHOTO_PART in places:
        in_photo = float(min(shape_weights[places[PHOTO_SMILE]], shape_weights[places[PHOTO_PART]]))
    lips = zip(_LOWER_LIP, _UPPER_LIP, strict=True)
    gap = max(0.0, *(float(vertices[lower, 1] - vertices[upper, 1]) for lower, upper in lips))
    width = abs(float(vertices[_CORNERS[1], 0] - vertices[_CORNERS[0], 0]))
    lit = min(max((gap * width - _DARK_MM2) / (_LIT_MM2 - _DARK_MM2), 0.0), 1.0)
    lit = lit * lit * (3 - 2 * lit) * (1 - _ROUND_SHADE * _rounded(shape_weights))
    # A tongue that is out is in the light, and so are teeth that hold the lower lip and shade it.
    tucked = min(float(shape_weights[_TUCK]) / _TUCKED, gap / _TUCK_MM, 1.0)
    raised = float(shape_weights[places[TONGUE_TIP]]) if TONGUE_TIP in places else 0.0
    lit = min(max(lit, tucked, raised, float(shape_weights[_TONGUE]) / _TIP_UP), 1.0)
    values = {
        LID_LEFT: min(1.0, 1.6 * float(left)),
        LID_RIGHT: min(1.0, 1.6 * float(right)),
        LIP_REST: 1 - min(max(in_photo, 0.0), 1.0),
        MOUTH_SHADE: 0.95 * (1 - lit),
        LIP_TUCK: tucked,
    }
    return np.array([values.get(n, 0.0) for n in model.color_shapes.names], np.float32)


@lru_cache(maxsize=8)
def _places(names: tuple[str, ...]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def _rounded(shape_weights: Floats) -> float:
    """0..1, from weights `# [K]`."""
    return min(1.0, float(shape_weights[_ROUND[0]] + shape_weights[_ROUND[1]]) / 0.6)


def _cut(weights: Floats) -> None:  # [K]
    np.maximum(weights, 0, out=weights)
    np.minimum(weights, np.float32(_MOST), out=weights)
