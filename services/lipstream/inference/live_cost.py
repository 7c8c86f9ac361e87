"""What a live stream through a model costs on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lipstream.inference.joined import ManyStepper
from lipstream.runtime.live_capacity import processor_cost

__all__ = ["live_cost"]

_STREAMS = 8
_STEPS = 8


def live_cost(model: Any, piece: Any, initial: Callable[[int], Any], media_s: float) -> float:
    """Cores that one live stream keeps busy, beside others where their steps are done together.

    Args:
        model: with a `step`; steps several streams at once if it is a `ManyStepper`.
        piece: what a step hears, `media_s` seconds of a stream.
        initial: state of the stream of that number.
    """
    together = _STREAMS if isinstance(model, ManyStepper) else 1
    states = [initial(number) for number in range(together)]

    def step() -> None:
        nonlocal states
        if isinstance(model, ManyStepper):
            given = model.step_many([piece] * together, states)
        else:
            given = [model.step(piece, states[0])]
        states = [state for _, state in given]

    return processor_cost(step, media_s=together * media_s, steps=_STEPS)
