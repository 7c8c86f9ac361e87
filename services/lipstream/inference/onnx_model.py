"""A model run in this process by onnxruntime.

One thread for each call: stages scale by sessions and replicas, and threads that spin for a network
of a million parameters would take the cores from the renderer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import Internal
from lipstream.face.motion import Floats
from lipstream.inference.constants import decode_constant, decode_text
from lipstream.inference.weights_digest import weights_digest

__all__ = ["ModelRunner", "OnnxModel"]


class ModelRunner(Protocol):
    """Named tensors in, named tensors out; no state of its own."""

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]: ...

    def width(self, name: str) -> int:
        """Size of the last axis of an input or output."""
        ...

    def constant(self, name: str) -> Floats:
        """A tensor that was stored with the weights, such as an initial state."""
        ...

    def text(self, name: str) -> str:
        """A name that was stored with the weights; empty where there is none."""
        ...

    @property
    def digest(self) -> str:
        """Of the weights; empty where it is not known."""
        ...


class OnnxModel:
    """An ONNX file, loaded once; `run` may be called from several threads.

    Raises:
        Internal: onnxruntime cannot load the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Imported late: it costs a tenth of a second that `lipstream --help` should not pay.
        # Its official builds report to their maker and keep an identifier of the device, unless
        # this is set before the import.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has its own exception types, one for each cause
            raise Internal(
                f"{path} is no model that onnxruntime can load.",
                remedy="Restore it from the repository, or export it again.",
                code="model_damaged",
            ) from error
        tensors = [*self._session.get_inputs(), *self._session.get_outputs()]
        self._shapes = {tensor.name: tensor.shape for tensor in tensors}
        self._outputs = [tensor.name for tensor in self._session.get_outputs()]
        self._constants = dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        values = self._session.run(self._outputs, dict(inputs))
        return dict(zip(self._outputs, values, strict=True))

    def width(self, name: str) -> int:
        return int(self._shapes[name][-1])

    def constant(self, name: str) -> NDArray[np.float32]:
        text = self._constants.get(name)
        if text is None:
            raise Internal(f"The model lacks the constant {name}.", code="model_damaged")
        return decode_constant(text)

    def text(self, name: str) -> str:
        return decode_text(self._constants.get(name, "")) or ""

    @cached_property
    def digest(self) -> str:
        return weights_digest(self._path)
