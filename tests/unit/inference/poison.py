"""Networks of the repository, made to give NaN on some input: for tests of what happens then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["LIMIT", "STATE_LIMIT", "poisoned"]

LIMIT, STATE_LIMIT = 1000.0, 1e6
_INPUTS = {"features", "audio", "mel"}


def poisoned(source: Path, target: Path, *, limit: float = LIMIT) -> Path:
    """A copy of a streaming model that gives NaN, in every output of the row, where an input is
    above a limit or a number of its state above another. Elsewhere it is unchanged.

    Args:
        limit: of its features, audio or log-mel frames.
    """
    model = onnx.load(str(source))
    graph = model.graph
    (name,) = {tensor.name for tensor in graph.input} & _INPUTS
    rank = len(next(t for t in graph.input if t.name == name).type.tensor_type.shape.dim)
    nodes, sums = [], []
    for place, (tensor, axes, highest) in enumerate(
        ((name, list(range(1, rank)), limit), ("state", [1], STATE_LIMIT))
    ):
        graph.initializer.append(
            numpy_helper.from_array(np.array(highest, np.float32), f"limit_{place}")
        )
        nodes += [
            helper.make_node("ReduceMax", [tensor], [f"most_{place}"], axes=axes, keepdims=0),
            helper.make_node("Sub", [f"limit_{place}", f"most_{place}"], [f"room_{place}"]),
            helper.make_node("Sqrt", [f"room_{place}"], [f"root_{place}"]),
        ]
        sums.append(f"root_{place}")
    graph.initializer.append(numpy_helper.from_array(np.array(0, np.float32), "nothing"))
    nodes += [
        helper.make_node("Add", sums, ["roots"]),
        helper.make_node("Mul", ["roots", "nothing"], ["poison"]),
    ]
    produced = {output: node for node in graph.node for output in node.output}
    for output in graph.output:
        node = produced[output.name]
        places = list(node.output)
        places[places.index(output.name)] = f"{output.name}_before"
        node.output[:] = places
        shape = [-1] + [1] * (len(output.type.tensor_type.shape.dim) - 1)
        graph.initializer.append(
            numpy_helper.from_array(np.array(shape, np.int64), f"{output.name}_shape")
        )
        nodes += [
            helper.make_node("Reshape", ["poison", f"{output.name}_shape"], [f"{output.name}_p"]),
            helper.make_node("Add", [f"{output.name}_before", f"{output.name}_p"], [output.name]),
        ]
    graph.node.extend(nodes)
    assert all(t.type.tensor_type.elem_type == TensorProto.FLOAT for t in graph.output)
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(target))
    return target
