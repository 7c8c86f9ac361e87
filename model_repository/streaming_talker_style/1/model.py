"""Runs the ONNX file beside it; requests of one shape become one call, so sessions are joined."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = Path(args["model_repository"], args["model_version"], "model.onnx")
        self.network = onnxruntime.InferenceSession(str(path), options)
        self.inputs = [tensor.name for tensor in self.network.get_inputs()]
        self.outputs = [tensor.name for tensor in self.network.get_outputs()]

    def execute(self, requests: list[Any]) -> list[Any]:
        groups, answers = defaultdict[Any, list[Any]](list), dict[int, Any]()
        for index, request in enumerate(requests):
            arrays = [triton.get_input_tensor_by_name(request, n).as_numpy() for n in self.inputs]
            groups[tuple(array.shape[1:] for array in arrays)].append((index, arrays))
        for group in groups.values():
            joined = map(np.concatenate, zip(*(arrays for _, arrays in group), strict=True))
            try:
                results = self.network.run(None, dict(zip(self.inputs, joined, strict=True)))
            except Exception as fault:  # of this shape alone; the other requests go on
                error = triton.TritonError(str(fault))
                answers |= {index: triton.InferenceResponse([], error) for index, _ in group}
                continue
            ends = np.cumsum([len(arrays[0]) for _, arrays in group])[:-1]
            parts = zip(*(np.split(result, ends) for result in results), strict=True)
            for (index, _), own in zip(group, parts, strict=True):
                tensors = list(map(triton.Tensor, self.outputs, own))
                answers[index] = triton.InferenceResponse(tensors)
        return [answers[index] for index in range(len(requests))]
