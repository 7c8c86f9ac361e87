"""A file of weights in the format and of the shapes of hama 1.7.0, filled at random."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

_BLOCK = {
    "ffn1.norm.weight": (144,),
    "ffn1.norm.bias": (144,),
    "ffn1.fc1.bias": (576,),
    "ffn1.fc2.bias": (144,),
    "attn_norm.weight": (144,),
    "attn_norm.bias": (144,),
    "attn.in_proj_bias": (432,),
    "attn.out_proj.bias": (144,),
    "conv.norm.weight": (144,),
    "conv.norm.bias": (144,),
    "conv.pointwise1.weight": (288, 144, 1),
    "conv.pointwise1.bias": (288,),
    "conv.pointwise2.weight": (144, 144, 1),
    "conv.pointwise2.bias": (144,),
    "ffn2.norm.weight": (144,),
    "ffn2.norm.bias": (144,),
    "ffn2.fc1.bias": (576,),
    "ffn2.fc2.bias": (144,),
    "norm.weight": (144,),
    "norm.bias": (144,),
}
_PRODUCTS = ((144, 576), (576, 144), (144, 432), (144, 144), (144, 576), (576, 144))
_NUMBERS = (829, 830, 831, 835, 836, 837)


def hama_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"mel_fb": (201, 80)}
    for block in range(4):
        prefix = f"acoustic_model.model.blocks.{block}."
        shapes |= {prefix + name: shape for name, shape in _BLOCK.items()}
        for number, shape in zip(_NUMBERS, _PRODUCTS, strict=True):
            shapes[f"onnx::MatMul_{number + 9 * block}"] = shape
        shapes[f"onnx::Conv_{804 + 3 * block}"] = (144, 1, 31)
        shapes[f"onnx::Conv_{805 + 3 * block}"] = (144,)
    return shapes | {"onnx::Conv_801": (144, 80, 3), "onnx::Conv_802": (144,)}


def write_hama(path: Path, shapes: dict[str, tuple[int, ...]], seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    index, body = b"", b""
    for name, shape in shapes.items():
        values = rng.normal(0, 0.08, shape)
        if name == "mel_fb":
            values = np.abs(values)
        kind, stored = (0, "<f4") if name == "mel_fb" else (1, "<f2")
        data = values.astype(stored).tobytes()
        index += struct.pack("<H", len(name)) + name.encode()
        index += struct.pack("<BB", kind, len(shape)) + struct.pack(f"<{len(shape)}I", *shape)
        index += struct.pack("<QQ", len(body), len(data))
        body += data
    head = b"HAMAPK\x01\x02" + struct.pack("<I", len(shapes)) + index
    path.write_bytes(head + bytes(-len(head) % 64) + body)
