"""Weights at half precision in the file, at single precision in the computation.

Halves what is downloaded and kept. The network is rounded first, so the file still computes exactly
what the network does.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

__all__ = ["halve_initializers", "rounded_to_half"]

NetworkT = TypeVar("NetworkT", bound=nn.Module)

_SMALLEST = 4096
"""Numbers; below that a file gains nothing."""


def rounded_to_half(network: NetworkT) -> NetworkT:
    """A copy whose large parameters are numbers of half precision."""
    rounded = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in rounded.parameters():
            if parameter.numel() >= _SMALLEST:
                parameter.copy_(parameter.half().float())
    return rounded


def halve_initializers(model: onnx.ModelProto) -> None:
    """Store the large tensors of a graph as halves, with a cast behind each."""
    casts = []
    for index, tensor in enumerate(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < _SMALLEST:
            continue
        name = tensor.name
        half = numpy_helper.from_array(values.astype(np.float16), f"{name}_half")
        model.graph.initializer[index].CopyFrom(half)
        casts.append(
            helper.make_node("Cast", [half.name], [name], f"{name}_single", to=TensorProto.FLOAT)
        )
    for place, cast in enumerate(casts):
        model.graph.node.insert(place, cast)
