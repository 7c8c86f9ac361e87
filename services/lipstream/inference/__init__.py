"""Trained models: where they come from, how they run, how their state travels."""

from lipstream.inference.encoder_identity import EncoderIdentity
from lipstream.inference.onnx_model import ModelRunner, OnnxModel
from lipstream.inference.packing import pack, unpack
from lipstream.inference.store import MODELS_VARIABLE, ModelStore
from lipstream.inference.triton_model import TritonModel

__all__ = [
    "MODELS_VARIABLE",
    "EncoderIdentity",
    "ModelRunner",
    "ModelStore",
    "OnnxModel",
    "TritonModel",
    "pack",
    "unpack",
]
