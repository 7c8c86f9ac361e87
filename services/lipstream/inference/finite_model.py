"""The guard behind which every streaming network runs: what comes out are numbers.

A network may give NaN or infinity: on input that no training had, by a fault of a device. In a
stream one of them would stay for ever, since the state carries it on. So a step that gives any is
done again from the initial state, in case the state is to blame; if that does not help, it is
passed over, and the state stays what it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.face.motion import Floats
from lipstream.inference.faults import note_faults
from lipstream.inference.onnx_model import ModelRunner

__all__ = ["FiniteModel", "FiniteResult"]

_STATE, _NEXT_STATE = "state", "next_state"


@dataclass(frozen=True, slots=True)
class FiniteResult:
    outputs: dict[str, Floats]
    """All finite; 0 for steps that were passed over."""
    good: NDArray[np.bool_]  # [B], or [B, T] steps of sequences: which were not passed over


class FiniteModel:
    """
    Args:
        model: a stateless step: inputs and `state` in, outputs and `next_state` out.
        initial: `# [S]` the state of a new stream.
        rows_per_step: for models of sequences, rows of input that the least step takes; inputs and
            outputs then have time as their second axis. 0 for models of one step a call.
    """

    def __init__(self, model: ModelRunner, initial: Floats, rows_per_step: int = 0) -> None:
        self._model = model
        self._initial = initial
        self._rows_per_step = rows_per_step

    def run(self, inputs: Mapping[str, Floats]) -> FiniteResult:
        outputs = self._model.run(inputs)
        rows, steps = len(inputs[_STATE]), self._steps(inputs)
        good = np.ones((rows, steps) if self._rows_per_step else rows, np.bool_)
        if _all_finite(outputs):
            return FiniteResult(outputs, good)
        bad = np.flatnonzero(~_finite(outputs))
        if not len(bad):
            return FiniteResult(outputs, good)
        mended = self._mended({name: values[bad] for name, values in inputs.items()}, steps)
        outputs = {name: values.copy() for name, values in outputs.items()}
        for name, values in mended.outputs.items():
            outputs[name][bad] = values
        good[bad] = mended.good
        return FiniteResult(outputs, good)

    def _mended(self, inputs: Mapping[str, Floats], steps: int) -> FiniteResult:
        """What can be had from rows that failed: all steps but the ones that are to blame."""
        if steps < 2:
            return self._again(inputs)
        # In halves, so that few calls find the step.
        middle = steps // 2 * self._rows_per_step
        first = self.run({n: v if n == _STATE else v[:, :middle] for n, v in inputs.items()})
        state = first.outputs[_NEXT_STATE]
        second = self.run({n: state if n == _STATE else v[:, middle:] for n, v in inputs.items()})
        outputs = {
            name: values
            if name == _NEXT_STATE
            else np.concatenate([first.outputs[name], values], axis=1)
            for name, values in second.outputs.items()
        }
        return FiniteResult(outputs, np.concatenate([first.good, second.good], axis=1))

    def _again(self, inputs: Mapping[str, Floats]) -> FiniteResult:
        """A failed step from the initial state, or none."""
        count = len(inputs[_STATE])
        note_faults(count)
        fresh = np.repeat(self._initial[None], count, axis=0)
        outputs = self._model.run({**inputs, _STATE: fresh})
        good = _finite(outputs)
        outputs = {
            name: np.where(
                good.reshape(-1, *[1] * (values.ndim - 1)),
                values,
                inputs[_STATE] if name == _NEXT_STATE else np.float32(0),
            )
            for name, values in outputs.items()
        }
        if not _finite({_STATE: outputs[_NEXT_STATE]}).all():
            # The state that the step came with was none.
            whole = np.isfinite(outputs[_NEXT_STATE]).all(axis=1, keepdims=True)
            outputs[_NEXT_STATE] = np.where(whole, outputs[_NEXT_STATE], fresh)
        return FiniteResult(outputs, good[:, None] if self._rows_per_step else good)

    def _steps(self, inputs: Mapping[str, Floats]) -> int:
        if not self._rows_per_step:
            return 1
        rows = next(values.shape[1] for name, values in inputs.items() if name != _STATE)
        return int(rows // self._rows_per_step)


def _all_finite(arrays: Mapping[str, Floats]) -> bool:
    """Whether there are numbers only, as it nearly always is. Not told of some beyond 1e19."""
    flat = [values.ravel() for values in arrays.values()]
    return all(math.isfinite(np.dot(values, values)) for values in flat)


def _finite(arrays: Mapping[str, Floats]) -> NDArray[np.bool_]:  # [B]
    """Rows that hold numbers only: their sum is one exactly then, or beyond float32."""
    rows = len(next(iter(arrays.values())))
    with np.errstate(all="ignore"):
        sums = [values.reshape(rows, -1).sum(axis=1) for values in arrays.values()]
    return np.asarray(np.isfinite(sums).all(axis=0), np.bool_)
