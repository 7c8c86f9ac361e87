"""How somebody moves, read off a short clip of their motion: a vector that StreamingTalker takes.

From mean and spread of the clip's latents, which its words hardly change. So a face that training
never saw lends its manner to any speech.
"""

from __future__ import annotations

import numpy as np

from lipstream.errors import BadInput, Internal
from lipstream.face.motion import Floats, Motion
from lipstream.inference import ModelRunner
from lipstream.motion.controls import to_controls

__all__ = ["STYLE_MODEL", "STYLE_OF_METADATA", "checked_style", "no_styles", "read_style"]

STYLE_MODEL = "streaming_talker_style"
STYLE_OF_METADATA = "talker"
"""Digest of the talker whose styles the model gives."""
_TALKER_FPS = 25.0

_SHORTEST_S, _LONGEST_S = 1.0, 60.0
_STILL = 0.01
"""Standard deviation of the liveliest control, below which a mouth does not speak."""


def read_style(model: ModelRunner, clip: Motion) -> Floats:  # [D]
    """
    Args:
        model: the style encoder.
        clip: of somebody who speaks, a second or more; of a long one, the minute in its middle.

    Raises:
        BadInput: it is too short, or the mouth does not move in it.
        Internal: the model fails on it.
    """
    duration_s = len(clip) / clip.fps
    if duration_s < _SHORTEST_S:
        raise BadInput(
            f"A style cannot be read off a clip of {duration_s:.2f} s.",
            remedy=f"Give {_SHORTEST_S:g} s or more of somebody who speaks.",
            code="no_style",
        )
    controls = to_controls(_at_talker_rate(clip))
    if float(controls.std(axis=0).max()) < _STILL:
        raise BadInput(
            "A style cannot be read off this clip, since its mouth does not move.",
            remedy="Give a clip of somebody who speaks.",
            code="no_style",
        )
    style: Floats = model.run({"motion": controls[None]})["style"][0]
    if not np.isfinite(style).all():
        raise Internal("The style encoder gave what are no numbers.", code="model_damaged")
    return style


def checked_style(style: object, width: int) -> Floats:  # [D]
    """A style that came from outside.

    Args:
        width: D, of the generator's styles; 0 where it has none.

    Raises:
        BadInput: it does not have that many finite numbers.
    """
    if not width:
        raise no_styles()
    try:
        values = np.asarray(style, np.float32)
    except (TypeError, ValueError, OverflowError):
        raise BadInput("A style is a list of numbers.", code="bad_style") from None
    if values.shape != (width,):
        raise BadInput(
            f"A style has shape {values.shape}; ({width},) was expected.",
            remedy="Read it off a clip with the models that are served: lipstream style CLIP.",
            code="bad_style",
        )
    if not np.isfinite(values).all():
        raise BadInput("A style holds numbers that are not finite.", code="bad_style")
    return values


def no_styles() -> BadInput:
    """What a generator without styles says when it is asked for one."""
    return BadInput(
        "This motion generator has no styles.",
        remedy="Choose the generator streaming_talker, or leave out the style.",
        code="no_styles",
    )


def _at_talker_rate(clip: Motion) -> Floats:  # [T, 52]
    """Blendshapes at 25 fps, linearly between the frames about each instant."""
    first = max((len(clip) - round(_LONGEST_S * clip.fps)) // 2, 0)
    shapes = clip.blendshapes[first : first + round(_LONGEST_S * clip.fps)]
    if clip.fps == _TALKER_FPS:
        return shapes
    place = np.arange(int(len(shapes) * _TALKER_FPS / clip.fps)) * (clip.fps / _TALKER_FPS)
    below = np.minimum(place.astype(np.int64), len(shapes) - 1)
    above = np.minimum(below + 1, len(shapes) - 1)
    share = (place - below)[:, None]
    return np.asarray(shapes[below] * (1 - share) + shapes[above] * share, np.float32)
