"""What a model needs beside its ONNX file to be served by Triton, derived from that file.

Three configurations, so that one repository serves every server: `config.pbtxt` for those that
have only the Python backend, and in `configs/`, chosen with `--model-config-name`, the onnxruntime
backend on CPUs and TensorRT through onnxruntime on GPUs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnx

from lipstream.errors import BadInput
from lipstream.inference.constants import (
    decode_constant,
    decode_text,
    encode_constant,
    encode_text,
)
from lipstream.inference.weights_digest import DIGEST, weights_digest

__all__ = ["serving_files", "write_serving_files"]

_STEP = Path(__file__).with_name("triton_step.py")
_LARGEST_BATCH = 64
_SAMPLE_LENGTH = 2
"""Of an axis of free length in the request that warms up and probes; pairs are the least."""


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    dims: tuple[int, ...]  # without the batch; -1 for a free length


def write_serving_files(onnx_path: Path) -> None:
    """Write the files of the model at `<name>/<version>/model.onnx`.

    Raises:
        BadInput: this is no stateless step of float tensors with a free batch.
    """
    for path, text in serving_files(onnx_path).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def serving_files(onnx_path: Path) -> dict[Path, str]:
    """The files that `write_serving_files` writes, and what is in them."""
    folder = onnx_path.parent.parent
    model = _model(onnx_path)
    return {
        onnx_path.with_name("model.py"): _STEP.read_text(),
        # Only the step sorts requests of different lengths itself.
        folder / "config.pbtxt": _PYTHON + _model(onnx_path, ragged=True),
        folder / "configs" / "onnxruntime.pbtxt": _ONNXRUNTIME + model,
        folder / "configs" / "tensorrt.pbtxt": _TENSORRT + model,
    }


_PYTHON = """\
# One stateless step, for any Triton server that has the Python backend and onnxruntime in its
# Python. See ../README.md for the onnxruntime and TensorRT backends, in configs/.
backend: "python"
instance_group [ { kind: KIND_CPU count: 1 } ]
"""

_ONNXRUNTIME = """\
# One stateless step on a CPU: tritonserver --model-config-name=onnxruntime
backend: "onnxruntime"
instance_group [ { kind: KIND_CPU count: 1 } ]
parameters [
  { key: "intra_op_thread_count" value: { string_value: "1" } },
  { key: "inter_op_thread_count" value: { string_value: "1" } }
]
"""

_BATCHING = """\
# No queue policy: with one, Triton 2.51 sometimes forgets a waiting request for half a second.
dynamic_batching { max_queue_delay_microseconds: 300 }"""

_TENSORRT = """\
# One stateless step on a GPU by TensorRT: tritonserver --model-config-name=tensorrt
# Engines are built at first use for the shapes that occur and kept in the cache.
backend: "onnxruntime"
instance_group [ { kind: KIND_GPU count: 1 } ]
optimization {
  execution_accelerators {
    gpu_execution_accelerator [ {
      name: "tensorrt"
      parameters { key: "precision_mode" value: "FP32" }
      parameters { key: "max_workspace_size_bytes" value: "1073741824" }
      parameters { key: "trt_engine_cache_enable" value: "true" }
      parameters { key: "trt_engine_cache_path" value: "/tmp/lipstream-tensorrt" }
    } ]
  }
}
"""


def _model(onnx_path: Path, *, ragged: bool = False) -> str:
    """What does not depend on the backend.

    Args:
        ragged: give the backend requests of different lengths together.
    """
    model = onnx.load(str(onnx_path))
    inputs = [_tensor(value) for value in model.graph.input]
    known = {f"next_{tensor.name}": tensor.dims for tensor in inputs}
    # The exporter loses the size of a state that is joined from parts.
    outputs = [
        _Tensor(tensor.name, known.get(tensor.name, tensor.dims))
        for tensor in map(_tensor, model.graph.output)
    ]
    constants = {prop.key: _rewritten(prop.value) for prop in model.metadata_props}
    constants[DIGEST] = encode_text(weights_digest(onnx_path))
    return f"""\
name: "{onnx_path.parent.parent.name}"
max_batch_size: {_LARGEST_BATCH}
{_section("input", [_declared(tensor, ragged) for tensor in inputs])}
{_section("output", [_declared(tensor) for tensor in outputs])}
{_BATCHING}
model_warmup [ {{
  name: "probe"
  batch_size: 1
{_lines("  inputs {{ {} }}", [_sampled(tensor) for tensor in inputs])}
}} ]
{_section("parameters", [_constant(*constant) for constant in constants.items()])}
"""


def _rewritten(constant: str) -> str:
    if decode_text(constant) is not None:
        return constant
    return encode_constant(decode_constant(constant))


def _tensor(value: onnx.ValueInfoProto) -> _Tensor:
    kind = value.type.tensor_type
    first, *rest = kind.shape.dim
    if kind.elem_type != onnx.TensorProto.FLOAT or not first.dim_param:
        raise BadInput(f"{value.name} is no float tensor with a free batch, so it is not served.")
    return _Tensor(value.name, tuple(dim.dim_value or -1 for dim in rest))


def _declared(tensor: _Tensor, ragged: bool = False) -> str:
    dims = ", ".join(map(str, tensor.dims))
    mark = " allow_ragged_batch: true" if ragged and -1 in tensor.dims else ""
    return f'name: "{tensor.name}" data_type: TYPE_FP32 dims: [ {dims} ]{mark}'


def _sampled(tensor: _Tensor) -> str:
    dims = ", ".join(str(_SAMPLE_LENGTH if size < 0 else size) for size in tensor.dims)
    value = f"data_type: TYPE_FP32 dims: [ {dims} ] zero_data: true"
    return f'key: "{tensor.name}" value: {{ {value} }}'


def _constant(name: str, text: str) -> str:
    return f'key: "{name}" value: {{ string_value: "{text}" }}'


def _section(name: str, entries: list[str]) -> str:
    return f"{name} [\n" + ",\n".join(f"  {{ {entry} }}" for entry in entries) + "\n]"


def _lines(pattern: str, entries: list[str]) -> str:
    return "\n".join(pattern.format(entry) for entry in entries)
