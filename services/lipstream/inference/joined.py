"""One model for many live sessions, whose steps become one call when they coincide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar, runtime_checkable

from lipstream.inference.faults import counted_faults
from lipstream.runtime.combiner import Combiner

__all__ = ["JoinedSteps", "ManyStepper"]

HeardT = TypeVar("HeardT")
StateT = TypeVar("StateT")
GivenT = TypeVar("GivenT")
_HeardT = TypeVar("_HeardT", contravariant=True)

_MOST = 64


@runtime_checkable
class ManyStepper(Protocol[_HeardT, StateT, GivenT]):
    """What steps several sessions at once, each as it would alone."""

    def step_many(
        self, heard: Sequence[_HeardT], states: Sequence[StateT], /
    ) -> list[tuple[GivenT, StateT]]: ...

    def step(self, heard: _HeardT, state: StateT, /) -> tuple[GivenT, StateT]: ...


class JoinedSteps(Generic[HeardT, StateT, GivenT]):
    """`step` of a model, for any thread."""

    def __init__(self, model: ManyStepper[HeardT, StateT, GivenT], name: str) -> None:
        """
        Args:
            name: of the thread that does the steps.
        """
        self._model = model
        self._combiner: Combiner[tuple[HeardT, StateT], tuple[GivenT, StateT] | None] = Combiner(
            self._together, most=_MOST, name=name
        )

    def __call__(self, heard: HeardT, state: StateT) -> tuple[GivenT, StateT]:
        """
        Raises:
            BadInput: shapes disagree.
            Unavailable: it is closed.
        """
        result = self._combiner((heard, state))
        # What failed is done again by each for itself, so that a session's faults are its own.
        return result if result is not None else self._model.step(heard, state)

    def close(self) -> None:
        self._combiner.close()

    def _together(
        self, steps: Sequence[tuple[HeardT, StateT]]
    ) -> Sequence[tuple[GivenT, StateT] | None]:
        try:
            with counted_faults() as faults:
                results = self._model.step_many(
                    [heard for heard, _ in steps], [state for _, state in steps]
                )
        except Exception:  # one session's; which, each finds out for itself
            return [None] * len(steps)
        return [None] * len(steps) if sum(faults) else results
