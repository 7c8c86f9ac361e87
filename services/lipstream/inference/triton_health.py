"""Whether a Triton server can really run its models, and what to do when it cannot.

When the process of a Python model is killed, Triton neither starts it again nor says that the
model is not ready. Only a request finds out; unloading and loading the model mends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lipstream.errors import LipstreamError, NotFound
from lipstream.inference.triton_client import TritonClient

__all__ = ["TritonHealth"]

_LOAD_S = 60.0
_LOST = ("models_dead", "models_missing")
"""Codes of faults that loading the model again mends; a late answer may be mere load."""


class TritonHealth:
    """
    Args:
        address: host:port of the server's gRPC side.
        deadline_s: how long a probe may take.
    """

    def __init__(self, address: str, *, deadline_s: float = 10.0) -> None:
        self._client = TritonClient(address)
        self._deadline_s = deadline_s

    def models(self) -> list[str]:
        """Names of all models in the server's repository, loaded or not.

        Raises:
            Unavailable: the server does not answer.
        """
        index = self._call(lambda s: self._client.raw.get_model_repository_index(client_timeout=s))
        return sorted({model.name for model in index.models})

    def fault(self, name: str) -> LipstreamError | None:
        """Run the model once on the sample of its configuration; what went wrong, if anything."""
        try:
            config = self._call(
                lambda s: self._client.raw.get_model_config(name, client_timeout=s).config
            )
            if not config.model_warmup:
                self._require_ready(name)
                return None
            sample = self._sample(config.model_warmup[0])
            self._call(lambda s: self._client.raw.infer(name, sample, client_timeout=s))
        except LipstreamError as error:
            return error
        return None

    def faults(self) -> dict[str, LipstreamError]:
        """What is wrong, by model; empty when all can run.

        Raises:
            Unavailable: the server does not answer.
        """
        found = {name: self.fault(name) for name in self.models()}
        return {name: fault for name, fault in found.items() if fault is not None}

    def recover(self, name: str) -> None:
        """Unload and load a model, which starts its process again.

        Requests that wait for it meanwhile get an error that says to try again.

        Raises:
            Internal: the server does not let models be loaded, or cannot load this one.
            Unavailable: the server does not answer.
        """
        raw = self._client.raw
        self._client.call(lambda s: raw.unload_model(name, client_timeout=s), deadline_s=_LOAD_S)
        self._client.call(lambda s: raw.load_model(name, client_timeout=s), deadline_s=_LOAD_S)

    def mend(self, faults: Mapping[str, LipstreamError]) -> list[LipstreamError]:
        """Reload those among faulty models that have lost their process; their faults.

        Raises:
            Unavailable: the server does not answer.
        """
        lost = {name: fault for name, fault in faults.items() if fault.code in _LOST}
        for name in lost:
            self.recover(name)
        return list(lost.values())

    def _require_ready(self, name: str) -> None:
        if not self._call(lambda s: self._client.raw.is_model_ready(name, client_timeout=s)):
            raise NotFound(f"The model {name} is not ready.", code="model_not_found")

    def _sample(self, warm_up: Any) -> list[Any]:
        """The request that the configuration warms the model up with."""
        tensors = []
        for name, value in sorted(warm_up.inputs.items()):
            shape = (max(1, warm_up.batch_size), *value.dims)
            tensor = self._client.grpc.InferInput(name, list(shape), "FP32")
            tensor.set_data_from_numpy(np.zeros(shape, np.float32))
            tensors.append(tensor)
        return tensors

    def _call(self, work: Any) -> Any:
        return self._client.call(work, deadline_s=self._deadline_s)
