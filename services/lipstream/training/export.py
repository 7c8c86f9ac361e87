"""Write trained networks as stateless ONNX steps in Triton's layout, and prove them equal to torch.

`(chunk, state) -> (result, next_state)` with dynamic batch and time, so any server serves any
session. The initial state travels in the file's metadata.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor

from lipstream.audio.encoder import ENCODER_MODEL
from lipstream.audio.mel import BANDS
from lipstream.errors import BadInput, Internal
from lipstream.inference import EncoderIdentity, OnnxModel
from lipstream.inference.constants import encode_constant, encode_text
from lipstream.motion.baseline import MOTION_MODEL
from lipstream.motion.training_encoder import ENCODER_METADATA
from lipstream.training.encoder_model import EncoderConfig, SpeechEncoderModel
from lipstream.training.half_weights import halve_initializers, rounded_to_half
from lipstream.training.motion_model import LOOK_AHEADS_MS, MotionConfig, MotionModel
from lipstream.training.serving_files import write_serving_files
from lipstream.training.streaming import StreamingModule

__all__ = ["PARITY", "Exported", "export_models", "load_trained", "trained_settings"]

PARITY = 1e-4
"""Largest difference allowed between torch on the whole and onnxruntime in chunks."""
_OPSET = 17


@dataclass(frozen=True, slots=True)
class Exported:
    path: Path
    megabytes: float
    difference: float
    """Largest difference found between torch and onnxruntime."""
    beside: tuple[Path, ...] = ()
    """Files of other models that belong to it."""


def load_trained(checkpoint: Path) -> tuple[SpeechEncoderModel, MotionModel]:
    """Networks of a trainer's `best.pt`.

    Raises:
        BadInput: the file is no such checkpoint.
    """
    try:
        saved = torch.load(checkpoint, weights_only=True)
        encoder = SpeechEncoderModel(EncoderConfig(**saved["config"]["encoder"]))
        motion = MotionModel(MotionConfig(**saved["config"]["motion"]))
        encoder.load_state_dict(saved["encoder"])
        motion.load_state_dict(saved["motion"])
    except Exception as error:  # torch raises anything from KeyError to UnpicklingError here
        raise BadInput(f"{checkpoint} is no checkpoint of this model: {error}") from error
    return encoder.eval(), motion.eval()


def trained_settings(checkpoint: Path) -> Mapping[str, Any]:
    """The whole configuration that a trainer's `best.pt` came of."""
    settings: Mapping[str, Any] = torch.load(checkpoint, weights_only=True)["config"]
    return settings


def export_models(
    encoder: SpeechEncoderModel, motion: MotionModel, root: Path
) -> tuple[Exported, Exported]:
    """Write both models below `root` and check them.

    Raises:
        Internal: onnxruntime in chunks differs from torch on the whole.
    """
    rng = np.random.default_rng(0)
    mel = torch.tensor(rng.normal(-7, 3, (2, 240, BANDS)), dtype=torch.float32)
    with torch.no_grad():
        features, _ = encoder(mel, encoder.initial_state(2))
    first = _export(encoder, ENCODER_MODEL, "mel", "features", mel, root)
    heard = EncoderIdentity.own(features.shape[2], OnnxModel(first.path).digest)
    metadata = {ENCODER_METADATA: encode_text(heard.encode())}
    second = _export(motion, MOTION_MODEL, "features", "controls", features, root, metadata)
    return first, second


def _export(
    network: StreamingModule,
    name: str,
    source: str,
    result: str,
    sample: Tensor,
    root: Path,
    extra: Mapping[str, str] = MappingProxyType({}),
) -> Exported:
    path = root / name / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    network = rounded_to_half(network).eval()
    state = network.initial_state(len(sample))
    with warnings.catch_warnings(), torch.no_grad():
        # The exporter by tracing, which needs no package beyond torch; it warns of its age.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (sample, state),
            str(path),
            dynamo=False,
            opset_version=_OPSET,
            input_names=[source, "state"],
            output_names=[result, "next_state"],
            dynamic_axes={
                source: {0: "batch", 1: "time"},
                "state": {0: "batch"},
                result: {0: "batch", 1: "steps"},
                "next_state": {0: "batch"},
            },
        )
    model = onnx.load(str(path))
    halve_initializers(model)
    metadata = {"initial_state": encode_constant(network.initial_state(1)[0].numpy()), **extra}
    if isinstance(network, MotionModel):
        metadata["look_aheads_ms"] = " ".join(str(ms) for ms in LOOK_AHEADS_MS)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, str(path))
    write_serving_files(path)
    difference = _largest_difference(network, OnnxModel(path), source, result, sample)
    if difference > PARITY:
        raise Internal(f"The exported {name} differs from torch by {difference:.2g}.")
    return Exported(path, path.stat().st_size / 1e6, difference)


def _largest_difference(
    network: StreamingModule, model: OnnxModel, source: str, result: str, sample: Tensor
) -> float:
    state = network.initial_state(len(sample))
    with torch.no_grad():
        expected = network(sample, state)[0].numpy()
    carried = state.numpy()
    parts = []
    for start, stop in ((0, 2), (2, 10), (10, 110), (110, 112), (112, sample.shape[1])):
        if start >= sample.shape[1]:
            break
        outputs = model.run({source: sample[:, start:stop].numpy(), "state": carried})
        parts.append(outputs[result])
        carried = outputs["next_state"]
    return float(np.abs(np.concatenate(parts, axis=1) - expected).max())
