"""A model whose batches are counted."""

from __future__ import annotations

from collections.abc import Mapping

from lipstream.face.motion import Floats
from lipstream.inference.onnx_model import ModelRunner
from lipstream.runtime.batch_watch import timed_batch

__all__ = ["WatchedModel"]


class WatchedModel:
    """A `ModelRunner` in front of another.

    Args:
        name: of the model, for the metrics.
    """

    def __init__(self, name: str, model: ModelRunner) -> None:
        self._name = name
        self._model = model

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        with timed_batch(self._name, len(next(iter(inputs.values())))):
            return self._model.run(inputs)

    def width(self, name: str) -> int:
        return self._model.width(name)

    def constant(self, name: str) -> Floats:
        return self._model.constant(name)

    def text(self, name: str) -> str:
        return self._model.text(name)

    @property
    def digest(self) -> str:
        return self._model.digest
