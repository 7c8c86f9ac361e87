"""Arrays of a corpus on disk: headers read without the data, data mapped rather than read."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput, LipstreamError, NotFound

__all__ = ["map_array", "read_arrays", "read_number", "read_tensor", "shapes_of"]

_npy: Any = np.lib.format
"""numpy's own reader of .npy headers, which it leaves untyped."""
_MAX_ARRAYS_BYTES = 4_000_000_000


def map_array(path: Path) -> NDArray[Any]:
    """An .npy file's array, mapped: only what is used is read.

    Raises:
        NotFound: there is no such file.
        BadInput: it is no .npy file of numbers, or is cut short.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", remedy="Check that the corpus is complete.")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy's readers fail on damage in many ways
        raise _damaged(path, ".npy file of numbers", error) from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise BadInput(f"{path.name} is no .npy file of numbers.")
    return array


def shapes_of(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the arrays in an .npz file, from their headers.

    Raises:
        BadInput: it is no .npz file.
    """
    shapes = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                with archive.open(entry) as file:
                    version = _npy.read_magic(file)
                    read = _npy.read_array_header_1_0
                    shape, _, _ = (read if version == (1, 0) else _npy.read_array_header_2_0)(file)
                    shapes[entry.filename.removesuffix(".npy")] = shape
    except Exception as error:
        raise _damaged(path, ".npz file of arrays", error) from None
    return shapes


def read_arrays(path: Path) -> Mapping[str, NDArray[Any]]:
    """All arrays of an .npz file; none is unpickled.

    Raises:
        BadInput: it is no .npz file of arrays of numbers or text.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MAX_ARRAYS_BYTES:
                raise BadInput(f"{path.name} unpacks to more than {_MAX_ARRAYS_BYTES / 1e6:g} MB.")
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
    except LipstreamError:
        raise
    except Exception as error:
        raise _damaged(path, ".npz file of arrays", error) from None


def read_number(path: Path, name: str) -> float:
    """One number of an .npz file.

    Raises:
        BadInput: it is none.
    """
    value = read_arrays(path)[name]
    if value.size != 1 or value.dtype.kind not in "fiu":
        raise BadInput(f"{path.name} holds {name} of shape {value.shape}; a number was expected.")
    return float(value.reshape(()))


def read_tensor(path: Path) -> NDArray[np.float32]:
    """The one tensor in a file of `torch.save`; nothing but tensors is unpickled.

    Raises:
        BadInput: it holds something else.
    """
    import torch

    try:
        tensor = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its unpickler raises
        raise _damaged(path, "tensor saved by torch", error) from None
    if not isinstance(tensor, torch.Tensor):
        raise BadInput(f"{path.name} holds a {type(tensor).__name__}; one tensor was expected.")
    return np.asarray(tensor.float().numpy(), np.float32)


def _damaged(path: Path, kind: str, error: Exception) -> BadInput:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return BadInput(f"{path.name} is no {kind}: {reason.rstrip('.')}.", code="damaged_file")
