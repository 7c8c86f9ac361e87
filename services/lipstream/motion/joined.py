"""One generator for many live sessions, whose steps become one call when they coincide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar, runtime_checkable

from lipstream.face.motion import Floats, Motion
from lipstream.inference.faults import counted_faults
from lipstream.motion.generator import MotionState
from lipstream.runtime.combiner import Combiner

__all__ = ["JoinedSteps", "ManyStepper"]

StateT = TypeVar("StateT", bound=MotionState)

_MOST = 64


@runtime_checkable
class ManyStepper(Protocol[StateT]):
    """A generator that steps several sessions at once, each as it would alone."""

    def step_many(
        self, features: Sequence[Floats], states: Sequence[StateT]
    ) -> list[tuple[Motion, StateT]]: ...

    def step(self, features: Floats, state: StateT) -> tuple[Motion, StateT]: ...


class JoinedSteps(Generic[StateT]):
    """`step` of a generator, for any thread."""

    def __init__(self, generator: ManyStepper[StateT]) -> None:
        self._generator = generator
        self._combiner: Combiner[tuple[Floats, StateT], tuple[Motion, StateT] | None] = Combiner(
            self._together, most=_MOST, name="motion-steps"
        )

    def __call__(self, features: Floats, state: StateT) -> tuple[Motion, StateT]:
        """
        Raises:
            BadInput: shapes disagree.
            Unavailable: it is closed.
        """
        result = self._combiner((features, state))
        # What failed is done again by each for itself, so that a session's faults are its own.
        return result if result is not None else self._generator.step(features, state)

    def close(self) -> None:
        self._combiner.close()

    def _together(
        self, steps: Sequence[tuple[Floats, StateT]]
    ) -> Sequence[tuple[Motion, StateT] | None]:
        try:
            with counted_faults() as faults:
                results = self._generator.step_many(
                    [features for features, _ in steps], [state for _, state in steps]
                )
        except Exception:  # one session's; which, each finds out for itself
            return [None] * len(steps)
        return [None] * len(steps) if sum(faults) else results
