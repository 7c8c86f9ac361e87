"""Write what reads a style off a clip as an ONNX file of its own, beside the network's step."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from lipstream.errors import Internal
from lipstream.inference import OnnxModel
from lipstream.inference.constants import encode_text
from lipstream.motion.controls import CONTROL_COUNT
from lipstream.motion.talker_style import STYLE_MODEL, STYLE_OF_METADATA
from lipstream.training.export import PARITY
from lipstream.training.half_weights import halve_initializers
from lipstream.training.serving_files import write_serving_files
from lipstream.training.streaming_talker.network import TalkerNetwork
from lipstream.training.streaming_talker.vq_vae import CausalEncoder

__all__ = ["export_style"]

_OPSET = 17
_CHECKED_FRAMES = (2, 25, 160)


class _StyleReader(nn.Module):
    def __init__(self, network: TalkerNetwork) -> None:
        super().__init__()
        self.network = network
        encoder = network.vae.encoder
        assert isinstance(encoder, CausalEncoder)
        self.encoder = encoder

    def forward(self, motion: Tensor) -> Tensor:  # [B, T, 10] -> [B, D]
        # Zeros made of the input, so that the batch stays free in the graph.
        past = (0 * motion[:, :1, 0]).expand(-1, self.encoder.stack.state_size)
        latents = self.network.vae.quantise(self.encoder.stack(motion, past)[0])
        return self.network.style.of_clip(latents / self.network.scale)


def export_style(network: TalkerNetwork, root: Path, talker_digest: str) -> Path:
    """Write the style encoder of a network that `export_talker` has exported, and check it.

    Args:
        network: as it was exported, its weights rounded.
        talker_digest: of its ONNX file, by which the two are known to belong together.

    Raises:
        Internal: onnxruntime differs from torch.
    """
    path = root / STYLE_MODEL / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    reader = _StyleReader(network).eval()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter by tracing warns of its age
        torch.onnx.export(
            reader,
            (_clip(_CHECKED_FRAMES[-1]),),
            str(path),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["motion"],
            output_names=["style"],
            dynamic_axes={"motion": {0: "batch", 1: "time"}, "style": {0: "batch"}},
        )
    model = onnx.load(str(path))
    halve_initializers(model)
    onnx.helper.set_model_props(model, {STYLE_OF_METADATA: encode_text(talker_digest)})
    onnx.save(model, str(path))
    write_serving_files(path)
    difference = _largest_difference(reader, OnnxModel(path))
    if difference > PARITY:
        raise Internal(f"The exported {STYLE_MODEL} differs from torch by {difference:.2g}.")
    return path


def _clip(frames: int, batch: int = 3) -> Tensor:  # [B, T, 10]
    random = torch.Generator().manual_seed(frames)
    return torch.rand(batch, frames, CONTROL_COUNT, generator=random)


@torch.no_grad()
def _largest_difference(reader: _StyleReader, model: OnnxModel) -> float:
    """Also from the style that training gives the same clip."""
    difference = 0.0
    for frames in _CHECKED_FRAMES:
        clip = _clip(frames, batch=frames % 2 + 1)
        trained = reader.network.style.of_clip(reader.network.latents(clip))
        got = model.run({"motion": np.ascontiguousarray(clip.numpy())})["style"]
        difference = max(difference, float(np.abs(got - trained.numpy()).max()))
    return difference
