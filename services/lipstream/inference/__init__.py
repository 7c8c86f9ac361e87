"""Trained models: where they come from, how they run, how their state travels."""

from lipstream.inference.encoder_identity import EncoderIdentity
from lipstream.inference.faults import FaultWatch, note_faults
from lipstream.inference.finite_model import FiniteModel, FiniteResult
from lipstream.inference.onnx_model import ModelRunner, OnnxModel
from lipstream.inference.packing import pack, unpack
from lipstream.inference.store import MODELS_VARIABLE, ModelStore
from lipstream.inference.triton_model import TritonModel

__all__ = [
    "MODELS_VARIABLE",
    "EncoderIdentity",
    "FaultWatch",
    "FiniteModel",
    "FiniteResult",
    "ModelRunner",
    "ModelStore",
    "OnnxModel",
    "TritonModel",
    "note_faults",
    "pack",
    "unpack",
]
