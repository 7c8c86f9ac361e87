"""Trained models: where they lie, how they run, how their state travels."""

from lipstream.inference.onnx_model import ModelRunner, OnnxModel
from lipstream.inference.packing import pack, unpack
from lipstream.inference.store import MODELS_VARIABLE, ModelStore

__all__ = ["MODELS_VARIABLE", "ModelRunner", "ModelStore", "OnnxModel", "pack", "unpack"]
