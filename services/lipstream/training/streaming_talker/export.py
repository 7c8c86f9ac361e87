"""Write the network as one stateless ONNX step, and prove it equal to torch.

One call a frame: predictor, the loop of diffusion, quantisation and decoding together. The loop is
part of the graph, its length that of the schedule that a caller sends, so one file serves any
number of steps.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor

from lipstream.errors import BadInput, Internal
from lipstream.inference import OnnxModel
from lipstream.inference.constants import encode_constant, encode_text
from lipstream.motion.ddim import ddim_schedule
from lipstream.motion.streaming_talker import TALKER_MODEL
from lipstream.motion.talker_audio import LOOK_AHEADS_MS
from lipstream.motion.training_encoder import ENCODER_METADATA
from lipstream.training.export import PARITY, Exported
from lipstream.training.half_weights import halve_initializers, rounded_to_half
from lipstream.training.serving_files import write_serving_files
from lipstream.training.streaming_talker import head
from lipstream.training.streaming_talker.config import Architecture, Space
from lipstream.training.streaming_talker.export_style import export_style
from lipstream.training.streaming_talker.network import TalkerNetwork

__all__ = ["export_talker"]

_OPSET = 17
_INPUTS = ("audio", "style", "noise", "schedule", "state")
_CHECKED_FRAMES = 8


def export_talker(network: TalkerNetwork, root: Path) -> Exported:
    """Write the model and what reads styles for it below `root`, and check both.

    Raises:
        BadInput: this network cannot stream.
        Internal: onnxruntime differs from torch.
    """
    config = network.config
    if config.latent.architecture is not Architecture.CAUSAL or config.space is not Space.CONTROLS:
        raise BadInput(
            "Only a network of controls with a causal autoencoder is exported.",
            remedy="Train the preset arkit.",
        )
    path = root / TALKER_MODEL / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    network = rounded_to_half(network).eval()
    inputs = _sample(network, frames=1)[0]
    free = {name: {0: "batch"} for name in (*_INPUTS, "controls", "next_state")}
    free["schedule"][1] = "steps"
    plain = head.denoise
    with warnings.catch_warnings(), torch.no_grad():
        # Tracing would unroll the loop; a scripted function stays one. Both warn of their age.
        warnings.simplefilter("ignore")
        head.denoise = torch.jit.script(plain)
        try:
            torch.onnx.export(
                network,
                (*inputs, network.initial_state(len(inputs[0]))),
                str(path),
                dynamo=False,
                opset_version=_OPSET,
                input_names=list(_INPUTS),
                output_names=["controls", "next_state"],
                dynamic_axes=free,
            )
        finally:
            head.denoise = plain
    model = onnx.load(str(path))
    halve_initializers(model)
    constants = {
        "initial_state": network.initial_state(1)[0].numpy(),
        "neutral_style": network.style.neutral.detach().numpy(),
        "look_aheads_ms": np.array(LOOK_AHEADS_MS, np.float32),
    }
    metadata = {name: encode_constant(value) for name, value in constants.items()}
    if config.encoder:
        metadata[ENCODER_METADATA] = encode_text(config.encoder)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, str(path))
    write_serving_files(path)
    difference = _largest_difference(network, OnnxModel(path))
    if difference > PARITY:
        raise Internal(f"The exported {TALKER_MODEL} differs from torch by {difference:.2g}.")
    style = export_style(network, root, OnnxModel(path).digest)
    return Exported(path, path.stat().st_size / 1e6, difference, (style,))


def _sample(network: TalkerNetwork, *, frames: int, batch: int = 2) -> list[tuple[Tensor, ...]]:
    """Inputs of some frames, the schedule another every time, without the state."""
    random = torch.Generator().manual_seed(0)
    predictor, latent = network.config.predictor, network.config.latent
    inputs: list[tuple[Tensor, ...]] = []
    for k in range(frames):
        audio = torch.rand(batch, predictor.audio, generator=random)
        audio[:, -len(LOOK_AHEADS_MS) :] = torch.eye(len(LOOK_AHEADS_MS))[k % len(LOOK_AHEADS_MS)]
        style = torch.randn(batch, predictor.width, generator=random)
        noise = torch.randn(batch, latent.width, generator=random)
        schedule = torch.from_numpy(ddim_schedule(2 + k)).expand(batch, -1, -1)
        inputs.append((audio, style, noise, schedule))
    return inputs


def _largest_difference(network: TalkerNetwork, model: OnnxModel) -> float:
    difference = 0.0
    for tensors in _sample(network, frames=_CHECKED_FRAMES):
        state = network.initial_state(len(tensors[0]))
        arrays = [np.ascontiguousarray(t.numpy()) for t in (*tensors, state)]
        result = model.run(dict(zip(_INPUTS, arrays, strict=True)))
        with torch.no_grad():
            expected = network(*tensors, state)
        for name, value in zip(("controls", "next_state"), expected, strict=True):
            difference = max(difference, float(np.abs(result[name] - value.numpy()).max()))
    return difference
