"""The stored networks compute as export writes them today, and onnxruntime runs them tight."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import onnx
import onnxruntime
import pytest
import torch
from onnx import GraphProto
from torch import nn

from lipstream.audio.encoder import ENCODER_MODEL
from lipstream.inference import ModelStore
from lipstream.motion.streaming_talker import TALKER_MODEL
from lipstream.motion.talker_style import STYLE_MODEL
from lipstream.training.encoder_model import EncoderConfig, SpeechEncoderModel
from lipstream.training.export import export_models
from lipstream.training.motion_model import MotionConfig, MotionModel
from lipstream.training.streaming_talker.export import export_talker
from lipstream.training.streaming_talker.network import TalkerNetwork
from lipstream.training.streaming_talker.presets import preset

STORED = [ENCODER_MODEL, TALKER_MODEL, STYLE_MODEL]
MOST_CALLS = {ENCODER_MODEL: 330, TALKER_MODEL: 175}
"""Of kernels, in a call of the network."""


def _drawn(network: nn.Module) -> None:
    """Other weights everywhere: the exporter writes equal ones once."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.05)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    root = tmp_path_factory.mktemp("exported")
    encoder = SpeechEncoderModel(EncoderConfig()).eval()
    talker = TalkerNetwork(preset("arkit")).eval()
    _drawn(encoder)
    _drawn(talker)
    talker.gain.add_(1)
    talker.event_bias.add_(0.5)
    export_models(encoder, MotionModel(MotionConfig(width=8)).eval(), root)
    export_talker(talker, root)
    return ModelStore(root)


def _steps(graph: GraphProto) -> list[object]:
    """Operators with their attributes, without the names of what they pass on."""
    steps: list[object] = []
    for node in graph.node:
        steps.append((node.op_type, len(node.input)))
        for own in node.attribute:
            steps.extend(_steps(own.g) if own.HasField("g") else [own.SerializeToString()])
    return steps


@pytest.mark.parametrize("name", STORED)
def test_a_stored_graph_is_the_one_that_export_writes(name: str, exported: ModelStore) -> None:
    written = onnx.load(str(exported.onnx_path(name))).graph
    stored = onnx.load(str(ModelStore.bundled().onnx_path(name))).graph
    assert _steps(stored) == _steps(written)
    shapes = [[(w.data_type, *w.dims) for w in g.initializer] for g in (stored, written)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", MOST_CALLS)
def test_products_and_their_biases_are_one_call(name: str, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    path = ModelStore.bundled().onnx_path(name)
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    nodes = onnx.load(options.optimized_model_filepath).graph.node
    kinds = Counter(node.op_type for node in nodes)
    assert kinds["Gemm"] > 2 * kinds["MatMul"]
    assert len(nodes) <= MOST_CALLS[name]
