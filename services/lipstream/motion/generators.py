"""Which generator makes the motion: one name, in the settings and on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from lipstream.errors import BadInput
from lipstream.motion.baseline import BaselineGenerator
from lipstream.motion.generator import MotionGenerator
from lipstream.motion.streaming_talker import StreamingTalker

__all__ = ["BASELINE", "DEFAULT_GENERATOR", "GENERATORS", "open_generator"]

_OPENERS: Mapping[str, Callable[[int], MotionGenerator[Any]]] = MappingProxyType(
    {
        "baseline": lambda ms: BaselineGenerator(look_ahead_ms=ms),
        "streaming_talker": lambda ms: StreamingTalker(look_ahead_ms=ms),
    }
)
GENERATORS: tuple[str, ...] = tuple(_OPENERS)
BASELINE = "baseline"
DEFAULT_GENERATOR = "streaming_talker"
"""The one with the better figures; see model_repository/MODEL_CARD.md."""


def open_generator(
    name: str = DEFAULT_GENERATOR, *, look_ahead_ms: int = 80
) -> MotionGenerator[Any]:
    """A generator with the weights of the model store.

    Raises:
        BadInput: there is none of this name, or not with this look-ahead.
        NotFound: the model store does not have its weights.
    """
    opener = _OPENERS.get(name)
    if opener is None:
        raise BadInput(
            f"There is no motion generator {name!r}.",
            remedy=f"Choose one of {', '.join(GENERATORS)}.",
        )
    return opener(look_ahead_ms)
