"""What lies beside the ONNX files for Triton."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from lipstream.inference import ModelStore, OnnxModel
from lipstream.inference.constants import decode_constant
from lipstream.training.serving_files import serving_files, write_serving_files

_ROOT = ModelStore.bundled().root
MODELS = sorted(_ROOT.glob("*/1/model.onnx"))
_LONGEST_STEP_LINES = 40


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.parent.parent.name)
def test_the_committed_files_are_those_of_the_weights(path: Path) -> None:
    for file, text in serving_files(path).items():
        assert file.read_text() == text, f"{file} is not what write_serving_files writes"


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.parent.parent.name)
def test_configurations_are_triton_s(path: Path) -> None:
    model = OnnxModel(path)
    configurations = [f for f in serving_files(path) if f.suffix == ".pbtxt"]
    assert {file.stem for file in configurations} == {"config", "onnxruntime", "tensorrt"}
    for file in configurations:
        config = text_format.Parse(file.read_text(), ModelConfig())
        assert config.name == path.parent.parent.name
        assert config.max_batch_size == 64
        assert config.HasField("dynamic_batching")
        assert not config.HasField("sequence_batching")
        # With one, the batcher of Triton 2.51 now and then sleeps while a request waits.
        assert not config.dynamic_batching.HasField("default_queue_policy")
        for tensor in [*config.input, *config.output]:
            assert tensor.dims[-1] > 0
        assert {t.name for t in config.input} == set(config.model_warmup[0].inputs)
        assert config.parameters["digest"].string_value == f"text:{model.digest}"
        if "state" in {tensor.name for tensor in config.input}:
            state = decode_constant(config.parameters["initial_state"].string_value)
            np.testing.assert_array_equal(state, model.constant("initial_state"))
        assert config.input[0].dims[-1] == model.width(config.input[0].name)


def test_the_step_is_short(tmp_path: Path) -> None:
    path = tmp_path / "speech_encoder" / "1" / "model.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(MODELS[-1].read_bytes())
    write_serving_files(path)
    step = path.with_name("model.py").read_text()
    assert len(step.splitlines()) <= _LONGEST_STEP_LINES
    assert "lipstream" not in step  # the server's Python does not have the package
