"""A model run by a Triton server, which joins the calls of many sessions and stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import Internal, NotFound, Unavailable
from lipstream.face.motion import Floats
from lipstream.inference.constants import decode_constant, decode_text
from lipstream.inference.triton_client import LONGEST_CALL_S, TritonClient
from lipstream.inference.weights_digest import DIGEST

__all__ = ["TritonModel"]


class TritonModel:
    """A `ModelRunner` over gRPC; `run` may be called from several threads.

    Args:
        address: host:port of the server's gRPC side.
        name: the model's name on the server.
        deadline_s: of one call.
        patience_s: how long a call waits for a server that is restarting or loading the model.
        start_patience_s: the same, for the first call.

    Raises:
        NotFound: the server does not have the model.
        Unavailable: the server does not answer.
    """

    def __init__(
        self,
        address: str,
        name: str,
        *,
        deadline_s: float = LONGEST_CALL_S,
        patience_s: float = 5.0,
        start_patience_s: float = 10.0,
    ) -> None:
        self._name = name
        self._deadline_s = deadline_s
        self._patience_s = patience_s
        self._client = TritonClient(address)
        try:
            self._config: Any = self._client.call(
                lambda s: self._client.raw.get_model_config(name, client_timeout=s).config,
                deadline_s=deadline_s,
                patience_s=start_patience_s,
            )
        except Unavailable as error:
            if error.code == "models_missing":
                raise NotFound(
                    f"The model server at {address} does not have the model {name}.",
                    remedy="Start it on a repository that holds it, such as model_repository/.",
                    code="model_not_found",
                ) from error
            raise
        tensors = [*self._config.input, *self._config.output]
        self._dims = {tensor.name: tuple(tensor.dims) for tensor in tensors}

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, NDArray[np.float32]]:
        """
        Raises:
            Unavailable: the server does not answer in time.
            Overloaded: its queue is full.
            Internal: the model on the server takes other tensors.
        """
        rows = len(next(iter(inputs.values())))
        largest = self._config.max_batch_size or rows
        if rows <= largest:
            return self._infer(inputs)
        parts = [
            self._infer({name: values[first : first + largest] for name, values in inputs.items()})
            for first in range(0, rows, largest)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def width(self, name: str) -> int:
        return int(self._dims[name][-1])

    def constant(self, name: str) -> NDArray[np.float32]:
        if name not in self._config.parameters:
            raise Internal(
                f"The configuration of {self._name} on the model server lacks the constant {name}.",
                remedy="Use the config.pbtxt that was exported with the weights.",
                code="model_damaged",
            )
        return decode_constant(self._config.parameters[name].string_value)

    def text(self, name: str) -> str:
        if name not in self._config.parameters:
            return ""
        return decode_text(self._config.parameters[name].string_value) or ""

    @property
    def digest(self) -> str:
        return self.text(DIGEST)

    def _infer(self, inputs: Mapping[str, Floats]) -> dict[str, NDArray[np.float32]]:
        tensors = []
        for name, values in inputs.items():
            tensor = self._client.grpc.InferInput(name, list(values.shape), "FP32")
            tensor.set_data_from_numpy(np.ascontiguousarray(values, np.float32))
            tensors.append(tensor)
        result = self._client.call(
            lambda s: self._client.raw.infer(self._name, tensors, client_timeout=s),
            deadline_s=self._deadline_s,
            patience_s=self._patience_s,
        )
        # Copied, since what the client returns can only be read.
        return {tensor.name: result.as_numpy(tensor.name).copy() for tensor in self._config.output}
