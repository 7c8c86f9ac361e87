"""Steps of one model for many live sessions, which become one call when they coincide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from lipstream.inference.faults import FaultWatch, counted_faults
from lipstream.runtime.turn_stream import Answer, Question

__all__ = ["JoinedSteps", "ManyStepper", "Step", "Stepper"]

HeardT = TypeVar("HeardT")
StateT = TypeVar("StateT")
GivenT = TypeVar("GivenT")
_HeardT = TypeVar("_HeardT", contravariant=True)
_GivenT = TypeVar("_GivenT", covariant=True)


@dataclass(frozen=True, slots=True)
class Step(Question, Generic[HeardT, StateT]):
    """What a session asks of its model: the answer is what `Stepper.step` returns."""

    heard: HeardT
    state: StateT
    faults: FaultWatch
    """Of the session."""


class Stepper(Protocol[_HeardT, StateT, _GivenT]):
    def step(self, heard: _HeardT, state: StateT, /) -> tuple[_GivenT, StateT]: ...


@runtime_checkable
class ManyStepper(Protocol[_HeardT, StateT, GivenT]):
    """What steps several sessions at once, each as it would alone."""

    def step(self, heard: _HeardT, state: StateT, /) -> tuple[GivenT, StateT]: ...

    def step_many(
        self, heard: Sequence[_HeardT], states: Sequence[StateT], /
    ) -> list[tuple[GivenT, StateT]]: ...


class JoinedSteps(Generic[HeardT, StateT, GivenT]):
    """Answers the steps of many sessions, in one call where the model has one for many."""

    def __init__(self, model: Stepper[HeardT, StateT, GivenT]) -> None:
        self._model = model

    def __call__(self, steps: Sequence[Step[HeardT, StateT]]) -> list[Answer]:
        """See `runtime.turns.Turns`."""
        results = self._together(steps) if len(steps) > 1 else None
        if results is None:
            # What fails together is done by each for itself, so that its faults are its own.
            return [self._alone(step) for step in steps]
        return [partial(_known, result) for result in results]

    def _together(
        self, steps: Sequence[Step[HeardT, StateT]]
    ) -> list[tuple[GivenT, StateT]] | None:
        if not isinstance(self._model, ManyStepper):
            return None
        try:
            with counted_faults() as faults:
                results: list[tuple[GivenT, StateT]] = self._model.step_many(
                    [step.heard for step in steps], [step.state for step in steps]
                )
        except Exception:  # one session's; which, each finds out for itself
            return None
        return None if sum(faults) else results

    def _alone(self, step: Step[HeardT, StateT]) -> Answer:
        try:
            with step.faults.watch():
                return partial(_known, self._model.step(step.heard, step.state))
        except Exception as error:  # the session's own
            return partial(_refused, error)


def _known(result: Any) -> Any:
    return result


def _refused(error: Exception) -> Any:
    raise error
