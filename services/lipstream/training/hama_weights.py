"""The weights of a published phone recogniser, from which the speech encoder starts.

The package `hama` (S. Park, Apache-2.0; `pip install hama==1.7.0`) carries a Conformer (A. Gulati
et al., 2020) of 1.9 M parameters that names phones on the whole of an utterance: log-mel at 100 Hz,
a convolution to 50 Hz, four blocks of width 144, 191 classes. Nothing of the package is executed;
its one file of weights is a list of named tensors.
"""

from __future__ import annotations

import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lipstream.audio.mel import BANDS, mel_filters
from lipstream.audio.pcm import SAMPLE_RATE_HZ
from lipstream.errors import BadInput, NotFound

__all__ = ["HAMA_BLOCKS", "hama_path", "mel_to_hama", "read_hama"]

HAMA_BLOCKS = 4

_MAGIC = b"HAMAPK\x01\x02"
_TYPES: dict[int, np.dtype[np.floating[Any]]] = {0: np.dtype("<f4"), 1: np.dtype("<f2")}
_LONGEST_LIST = 4_096
_FIRST_DEPTHWISE, _STEM = 804, 801
_PRODUCTS = (
    (829, 830, 831, 835, 836, 837),
    (838, 839, 840, 844, 845, 846),
    (847, 848, 849, 853, 854, 855),
    (856, 857, 858, 862, 863, 864),
)
"""Numbers under which the exporter filed the matrices of each block, in the order of use."""


def hama_path() -> Path:
    """Where the installed package keeps its weights.

    Raises:
        NotFound: it is not installed.
    """
    spec = find_spec("hama")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = Path(folder) / "assets" / "asr_waveform.hama"
        if path.is_file():
            return path
    raise NotFound(
        "The weights that the speech encoder starts from are not installed.",
        remedy="Run `pip install hama==1.7.0`, or set start to scratch in --config.",
    )


def read_hama(path: Path) -> dict[str, Tensor]:
    """The recogniser's parameters, under the names of `Conformer` in `conformer.py`.

    Also `stem.weight` `# [144, 80, 3]`, `stem.bias` `# [144]` and `mel_filters` `# [201, 80]`.

    Raises:
        BadInput: the file is no such list, or of another network.
    """
    try:
        raw = _tensors(path.read_bytes())
        named = {
            "stem.weight": raw[f"onnx::Conv_{_STEM}"],
            "stem.bias": raw[f"onnx::Conv_{_STEM + 1}"],
            "mel_filters": raw["mel_fb"],
        }
        for index in range(HAMA_BLOCKS):
            named |= _block(raw, index)
    except (struct.error, KeyError, ValueError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} does not hold the weights of hama 1.7.0: {error}.") from error
    return named


def _tensors(data: bytes) -> dict[str, Tensor]:
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError("it begins with other bytes")
    (count,) = struct.unpack_from("<I", data, len(_MAGIC))
    if count > _LONGEST_LIST:
        raise ValueError(f"it claims {count} tensors")
    place = len(_MAGIC) + 4
    entries = []
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, place)
        name = data[place + 2 : place + 2 + length].decode()
        place += 2 + length
        kind, rank = struct.unpack_from("<BB", data, place)
        shape = struct.unpack_from(f"<{rank}I", data, place + 2)
        start, size = struct.unpack_from("<QQ", data, place + 2 + 4 * rank)
        place += 18 + 4 * rank
        entries.append((name, kind, shape, start, size))
    base = len(data) - max(start + size for *_, start, size in entries)
    return {
        name: torch.from_numpy(
            np.frombuffer(data, _TYPES[kind], size // _TYPES[kind].itemsize, base + start)
            .reshape(shape)
            .astype(np.float32)
        )
        for name, kind, shape, start, size in entries
    }


def _block(raw: dict[str, Tensor], index: int) -> dict[str, Tensor]:
    source = f"acoustic_model.model.blocks.{index}."
    target = f"blocks.{index}."
    up1, down1, query, out, up2, down2 = (
        raw[f"onnx::MatMul_{number}"].T for number in _PRODUCTS[index]
    )
    depthwise = _FIRST_DEPTHWISE + 3 * index
    parts = {
        "first.up.weight": up1,
        "first.down.weight": down1,
        "attention.project.weight": query,
        "attention.project.bias": raw[source + "attn.in_proj_bias"],
        "attention.out.weight": out,
        "attention.out.bias": raw[source + "attn.out_proj.bias"],
        "attention.norm.weight": raw[source + "attn_norm.weight"],
        "attention.norm.bias": raw[source + "attn_norm.bias"],
        "convolution.depthwise.weight": raw[f"onnx::Conv_{depthwise}"],
        "convolution.depthwise.bias": raw[f"onnx::Conv_{depthwise + 1}"],
        "second.up.weight": up2,
        "second.down.weight": down2,
    }
    for ours, theirs in (("spread", "pointwise1"), ("mix", "pointwise2")):
        # Convolutions of one step, which are linear layers.
        parts[f"convolution.{ours}.weight"] = raw[f"{source}conv.{theirs}.weight"][..., 0]
        parts[f"convolution.{ours}.bias"] = raw[f"{source}conv.{theirs}.bias"]
    for ours, theirs in (("first", "ffn1"), ("second", "ffn2")):
        parts[f"{ours}.up.bias"] = raw[f"{source}{theirs}.fc1.bias"]
        parts[f"{ours}.down.bias"] = raw[f"{source}{theirs}.fc2.bias"]
    for ours, theirs in (
        ("first.norm", "ffn1.norm"),
        ("second.norm", "ffn2.norm"),
        ("convolution.norm", "conv.norm"),
        ("norm", "norm"),
    ):
        for kind in ("weight", "bias"):
            parts[f"{ours}.{kind}"] = raw[f"{source}{theirs}.{kind}"]
    return {target + name: value for name, value in parts.items()}


def mel_to_hama(filters: Tensor) -> tuple[Tensor, Tensor]:
    """From our log-mel bands to those of the recogniser: matrix `# [80, 80]`, offset `# [80]`.

    Both see the same windows, ours through unit-sum filters on another scale: each of its bins
    takes the logarithmic power between our bands, weighted as in its own filter.

    Args:
        filters: `mel_filters` of `read_hama`. `# [201, 80]`
    """
    ours = mel_filters()
    bins_hz = np.linspace(0, SAMPLE_RATE_HZ / 2, ours.shape[1])
    centres_hz = (ours @ bins_hz)[ours.sum(1) > 0]
    heard = np.flatnonzero(ours.sum(1) > 0)
    targets_hz = np.linspace(0, SAMPLE_RATE_HZ / 2, filters.shape[0])
    between = np.zeros((filters.shape[0], BANDS))  # from bands to its bins
    for column, band in enumerate(heard):
        unit = np.zeros(len(heard))
        unit[column] = 1
        between[:, band] = np.interp(targets_hz, centres_hz, unit)
    weights = filters.double().numpy()
    total = weights.sum(0)
    matrix = (weights / np.maximum(total, 1e-12)).T @ between
    return torch.from_numpy(matrix).float(), torch.from_numpy(np.log(total)).float()
