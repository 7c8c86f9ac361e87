"""Motion as .npz: exact, compact, and what one stage leaves for the next.

The same motion gives the same bytes (entries in a fixed order, no clock, no compression), so that
a job done twice leaves the same object. Reading never unpickles and never allocates more than the
file can fill.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput, TooLarge
from lipstream.face.motion import Motion
from lipstream.face.motion_pieces import MAX_FILE_BYTES, check_rate, motion_pieces, read_bytes

__all__ = ["read_npz", "write_npz"]

_ARRAYS = ("blendshapes", "rotation", "translation", "gaze")
_npy: Any = np.lib.format
"""numpy's own reader of .npy headers, which it leaves untyped."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_npz(destination: Path | BinaryIO, motion: Motion | Iterable[Motion]) -> None:
    """Write a recording as a whole.

    Raises:
        BadInput: the pieces differ in rate.
    """
    whole = Motion.concatenate(motion_pieces(motion))
    with zipfile.ZipFile(destination, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "fps", np.asarray(whole.fps, np.float64))
        for name in _ARRAYS:
            _add(archive, name, np.ascontiguousarray(getattr(whole, name), "<f4"))


def read_npz(source: Path | BinaryIO | bytes) -> Motion:
    """Read a recording.

    Raises:
        BadInput: this is not such a file, or a value in it is not a finite number.
        TooLarge: it is over the size limit, packed or unpacked.
    """
    data = read_bytes(source)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_FILE_BYTES:
                raise TooLarge(f"The motion file unpacks to more than {MAX_FILE_BYTES / 1e6:g} MB.")
            fps = check_rate(_array(archive, "fps").item())
            arrays = {name: _array(archive, name).astype(np.float32) for name in _ARRAYS}
    except BadInput:
        raise
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError, EOFError, SyntaxError,
            NotImplementedError, RuntimeError, OverflowError):  # fmt: skip
        raise BadInput("The motion file is not a motion .npz.", code="not_motion") from None
    if any(array.ndim != 2 for array in arrays.values()):
        raise BadInput("The motion file's arrays are not tables.", code="not_motion")
    return Motion(fps=fps, **arrays)


def _add(archive: zipfile.ZipFile, name: str, array: NDArray[np.generic]) -> None:
    entry = io.BytesIO()
    _npy.write_array(entry, array, allow_pickle=False)
    archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), entry.getvalue())


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[np.generic]:
    """One entry, once its header has been found to agree with its size."""
    data = archive.read(f"{name}.npy")
    entry = io.BytesIO(data)
    version = _npy.read_magic(entry)
    if version != (1, 0):
        raise ValueError("another version")
    shape, fortran_order, dtype = _npy.read_array_header_1_0(entry)
    size_bytes = math.prod(shape) * dtype.itemsize
    if dtype.kind != "f" or min(shape, default=0) < 0 or len(data) - entry.tell() != size_bytes:
        raise ValueError("header and size disagree")
    values = np.frombuffer(data, dtype, offset=entry.tell())
    return values.reshape(shape, order="F" if fortran_order else "C")
