"""Which generator makes the motion: one value, in the settings and on the command line.

A name, and options behind a question mark: `streaming_talker?look_ahead_ms=120&steps=10`.

- `look_ahead_ms`: how much of the future each frame may hear, one of 40, 80, 120, 160.

Of StreamingTalker alone (see `Sampling`):

- `steps`: of diffusion, 1 to 50.
- `noise`: `constant`, or `fresh` in every frame.
- `temperature`: 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from lipstream.errors import BadInput
from lipstream.motion.baseline import BaselineGenerator
from lipstream.motion.generator import MotionGenerator
from lipstream.motion.streaming_talker import Sampling, StreamingTalker
from lipstream.runtime.written_choice import WrittenChoice

__all__ = ["BASELINE", "DEFAULT_GENERATOR", "GENERATORS", "open_generator"]

BASELINE = "baseline"
DEFAULT_GENERATOR = "streaming_talker"
"""The one with the better figures; see model_repository/MODEL_CARD.md."""
_LOOK_AHEAD = "look_ahead_ms"
_CODE = "unknown_generator"


def _baseline(choice: WrittenChoice, look_ahead_ms: int) -> MotionGenerator[Any]:
    choice.allow("The baseline", (_LOOK_AHEAD,), _CODE)
    return BaselineGenerator(look_ahead_ms=look_ahead_ms)


def _streaming_talker(choice: WrittenChoice, look_ahead_ms: int) -> MotionGenerator[Any]:
    choice.allow("StreamingTalker", (_LOOK_AHEAD, "steps", "noise", "temperature"), _CODE)
    default = Sampling()
    sampling = Sampling(
        steps=round(choice.number("steps", default.steps)),
        constant_noise=choice.word("noise", ("constant", "fresh")) == "constant",
        temperature=choice.number("temperature", default.temperature),
    )
    return StreamingTalker(look_ahead_ms=look_ahead_ms, sampling=sampling)


_OPENERS: Mapping[str, Callable[[WrittenChoice, int], MotionGenerator[Any]]] = MappingProxyType(
    {BASELINE: _baseline, DEFAULT_GENERATOR: _streaming_talker}
)
GENERATORS: tuple[str, ...] = tuple(_OPENERS)


def open_generator(
    text: str = DEFAULT_GENERATOR, *, look_ahead_ms: int = 80
) -> MotionGenerator[Any]:
    """A generator with the weights of the model store.

    Args:
        text: its name, with options.
        look_ahead_ms: where the options say none.

    Raises:
        BadInput: there is none of this name, or not with these options.
        NotFound: the model store does not have its weights.
    """
    choice = WrittenChoice.parse(text)
    opener = _OPENERS.get(choice.name)
    if opener is None:
        raise BadInput(
            f"There is no motion generator {choice.name!r}.",
            remedy=f"Choose one of {', '.join(GENERATORS)}.",
            code=_CODE,
        )
    return opener(choice, round(choice.number(_LOOK_AHEAD, look_ahead_ms)))
