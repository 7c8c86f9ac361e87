"""Ten articulatory controls: the low-dimensional space in which speech moves the mouth.

Phoneticians describe the visible mouth with a handful of gestures, and speech determines little
more than these. Models predict controls `# [..., 10]`, which expand to ARKit blendshapes here. All
lie in 0..1; `close`, `tuck` and `tongue` are events (lips together, lower lip under the teeth,
tongue at the teeth), the rest are continuous.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache

import numpy as np

from lipstream.face.arkit import BLENDSHAPE_COUNT, INDEX
from lipstream.face.motion import Floats
from lipstream.motion.noise import Doubles

__all__ = [
    "CONTROL_COUNT",
    "EVENTS",
    "TONGUE_OUT",
    "Control",
    "aperture",
    "lip_width",
    "strengthened",
    "to_blendshapes",
    "to_controls",
    "within_bounds",
]


class Control(IntEnum):
    """Index of each control in a tensor `# [..., 10]`."""

    JAW = 0
    CLOSE = 1
    PUCKER = 2
    FUNNEL = 3
    SPREAD = 4
    TUCK = 5
    PRESS = 6
    UPPER_UP = 7
    LOWER_DOWN = 8
    TONGUE = 9


CONTROL_COUNT = len(Control)
EVENTS: tuple[Control, ...] = (Control.CLOSE, Control.TUCK, Control.TONGUE)

_LEAST_JAW, _LEAST_PARTED = 0.03, 0.2
"""Below these, what they scale cannot be told."""
_STRENGTHENED = [c for c in Control if c not in (*EVENTS, Control.PRESS)]
_SPREAD_SHARES = {"mouthStretch": 0.5, "mouthSmile": 0.35, "mouthDimple": 0.1}
TONGUE_OUT = 0.3
"""Blendshape of a tongue between the teeth, as in th; at less its tip is behind them, as in l."""
_LOWER_SHARE, _UPPER_SHARE, _TUCK_SHARE = 0.30, 0.20, 0.5


def aperture(controls: Floats) -> Floats:
    """How far the lips are apart `# [...]`, about 0 (shut) to 0.6 (a loud open vowel).

    Args:
        controls: `# [..., 10]`
    """
    parted = (
        controls[..., Control.JAW]
        + _LOWER_SHARE * controls[..., Control.LOWER_DOWN]
        + _UPPER_SHARE * controls[..., Control.UPPER_UP]
    )
    together = np.clip(controls[..., Control.CLOSE], 0, 1)
    tucked = np.clip(controls[..., Control.TUCK], 0, 1)
    opening: Floats = np.maximum(parted, 0) * (1 - together) * (1 - _TUCK_SHARE * tucked)
    return opening


def lip_width(controls: Floats) -> Floats:
    """How wide the mouth is `# [...]`: negative when rounded, positive when spread.

    Args:
        controls: `# [..., 10]`
    """
    width: Floats = (
        controls[..., Control.SPREAD]
        - controls[..., Control.PUCKER]
        - 0.5 * controls[..., Control.FUNNEL]
    )
    return width


def strengthened(controls: Floats, strength: Doubles) -> Floats:  # [T, 10], [T] -> [T, 10]
    """A mouth that does more or less of what it does. What is complete stays so: lips that meet,
    are pressed or tucked, and a tongue that shows.

    Args:
        strength: 0 or more; 1 changes nothing, 0 leaves only those. Above 1 small movements grow
            by it, and large ones towards the end of their range, never beyond.
    """
    moved = controls.copy()
    own = np.clip(controls[:, _STRENGTHENED], 0, 1)
    # A lip that is tucked needs the rest of the mouth as it is.
    free = 1 - np.clip(controls[:, [Control.TUCK]], 0, 1)
    factor = 1 + (strength.astype(np.float32)[:, None] - 1) * free
    moved[:, _STRENGTHENED] = factor * own / (1 + np.maximum(factor - 1, 0) * own)
    return moved


def within_bounds(values: Floats) -> Floats:
    """Values in 0..1. Of few numbers `np.clip` takes five times as long."""
    bounded: Floats = np.minimum(np.maximum(values, 0), 1)
    return bounded


def to_blendshapes(controls: Floats) -> Floats:
    """ARKit weights `# [..., 52]` of the mouth; all other shapes are 0.

    `mouthClose` undoes `jawOpen` at the lips, so their product shuts the lips on a lowered jaw.

    Args:
        controls: `# [..., 10]`
    """
    c = within_bounds(controls)
    jaw, close, tuck, press = (
        c[..., k] for k in (Control.JAW, Control.CLOSE, Control.TUCK, Control.PRESS)
    )
    spread, parted = c[..., Control.SPREAD], 1 - close
    shown = {
        "jawOpen": jaw,
        "mouthClose": jaw * close,
        "mouthFunnel": c[..., Control.FUNNEL] * (0.25 + 0.75 * parted),
        "mouthPucker": c[..., Control.PUCKER],
        "mouthRollLower": 0.6 * tuck + 0.5 * press,
        "mouthRollUpper mouthPressLeft mouthPressRight": 0.5 * press,
        "mouthStretchLeft mouthStretchRight": 0.5 * spread,
        "mouthSmileLeft mouthSmileRight": 0.35 * spread,
        "mouthDimpleLeft mouthDimpleRight": 0.1 * spread,
        "mouthUpperUpLeft mouthUpperUpRight": c[..., Control.UPPER_UP] * parted,
        "mouthLowerDownLeft mouthLowerDownRight": c[..., Control.LOWER_DOWN] * parted * (1 - tuck),
        "mouthShrugLower": 0.3 * close,
        "mouthShrugUpper": 0.2 * close,
        "tongueOut": TONGUE_OUT * c[..., Control.TONGUE] * parted,
    }
    places, sources = _places(tuple(shown))
    weights = np.zeros((*c.shape[:-1], BLENDSHAPE_COUNT), np.float32)
    weights[..., places] = within_bounds(np.stack(list(shown.values()), axis=-1))[..., sources]
    return weights


@cache
def _places(names: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Where blendshapes lie, and in which of these each is named."""
    named = [(INDEX[name], k) for k, own in enumerate(names) for name in own.split()]
    places, sources = zip(*named, strict=True)
    return list(places), list(sources)


def to_controls(blendshapes: Floats) -> Floats:
    """Controls `# [..., 10]` that show about this mouth: `to_blendshapes` backwards.

    Of recorded faces too, whose two sides differ and whose shapes no control moves: sides are
    averaged, other shapes left out. Where lips are shut or tucked, what they hide is little known.

    Args:
        blendshapes: ARKit weights `# [..., 52]`.
    """
    w = np.clip(blendshapes, 0, 1)

    def sides(name: str) -> Floats:
        mean: Floats = (w[..., INDEX[f"{name}Left"]] + w[..., INDEX[f"{name}Right"]]) / 2
        return mean

    jaw, press = w[..., INDEX["jawOpen"]], sides("mouthPress")
    shut = np.clip(w[..., INDEX["mouthClose"]] / np.maximum(jaw, _LEAST_JAW), 0, 1)
    tuck = np.clip((w[..., INDEX["mouthRollLower"]] - press) / 0.6, 0, 1)
    parted, bare = 1 - shut, np.maximum(1 - tuck, _LEAST_PARTED)
    seen = np.maximum(parted, _LEAST_PARTED)
    spread = sum(share * sides(name) for name, share in _SPREAD_SHARES.items())
    controls = np.zeros((*w.shape[:-1], CONTROL_COUNT), np.float32)
    for control, value in {
        Control.JAW: jaw,
        Control.CLOSE: shut,
        Control.PUCKER: w[..., INDEX["mouthPucker"]],
        Control.FUNNEL: w[..., INDEX["mouthFunnel"]] / (0.25 + 0.75 * parted),
        Control.SPREAD: spread / sum(share**2 for share in _SPREAD_SHARES.values()),
        Control.TUCK: tuck,
        Control.PRESS: press / 0.5,
        Control.UPPER_UP: sides("mouthUpperUp") / seen,
        Control.LOWER_DOWN: sides("mouthLowerDown") / (seen * bare),
        Control.TONGUE: w[..., INDEX["tongueOut"]] / (TONGUE_OUT * seen),
    }.items():
        controls[..., control] = np.clip(value, 0, 1)
    return controls
