"""Files from strangers: arrays and tables of numbers, within bounds, and nothing that can run."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput, NotFound, TooLarge

__all__ = ["read_arrays", "read_ply"]

_MAX_BYTES = 2_000_000_000
_MAX_HEADER_BYTES = 65_536
_TYPES = {
    **{"char": "i1", "uchar": "u1", "short": "<i2", "ushort": "<u2", "int": "<i4", "uint": "<u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "<i2", "uint16": "<u2", "int32": "<i4"},
    **{"uint32": "<u4", "float": "<f4", "float32": "<f4", "double": "<f8", "float64": "<f8"},
}


def read_arrays(path: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Those of the named arrays that a .npz has. Pickled objects in it are refused.

    Raises:
        NotFound: there is no such file.
        BadInput: it is no .npz, or an array is not of finite numbers.
        TooLarge: it unpacks to more than 2 GB.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MAX_BYTES:
                raise TooLarge(f"{path.name} unpacks to more than {_MAX_BYTES / 1e9:g} GB.")
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: np.asarray(arrays[name]) for name in names if name in arrays.files}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, KeyError, SyntaxError):
        raise BadInput(
            f"{path.name} is no .npz of plain arrays.",
            remedy="Save the arrays alone with numpy.savez; pickles are not read.",
            code="not_arrays",
        ) from None
    for name, array in found.items():
        if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
            raise BadInput(f"{name} in {path.name} does not hold finite numbers.")
    return found


def read_ply(path: Path) -> dict[str, NDArray[Any]]:
    """The columns of a binary .ply's vertices, by name.

    Raises:
        NotFound: there is no such file.
        BadInput: it is another kind of file, or cut short.
        TooLarge: it is over 2 GB.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    if path.stat().st_size > _MAX_BYTES:
        raise TooLarge(f"{path.name} is larger than {_MAX_BYTES / 1e9:g} GB.")
    with path.open("rb") as file:
        head, found, _ = file.read(_MAX_HEADER_BYTES).partition(b"end_header\n")
        lines = head.decode("ascii", "replace").splitlines()
        if not found or lines[:2] != ["ply", "format binary_little_endian 1.0"]:
            raise _no_ply(path, "it is no binary .ply")
        count, columns = _vertex_columns(path, lines)
        row = np.dtype(columns)
        file.seek(len(head) + len(found))
        data = file.read(count * row.itemsize)
    if len(data) < count * row.itemsize:
        raise _no_ply(path, "it is cut short")
    table = np.frombuffer(data, row)
    return {name: table[name] for name, _ in columns}


def _vertex_columns(path: Path, lines: list[str]) -> tuple[int, list[tuple[str, str]]]:
    start = next((k for k, line in enumerate(lines) if line.startswith("element ")), len(lines))
    element = re.fullmatch(r"element vertex (\d{1,10})", lines[start]) if lines[start:] else None
    if element is None:
        raise _no_ply(path, "it does not begin with vertices")
    columns: list[tuple[str, str]] = []
    for line in lines[start + 1 :]:
        if line.startswith("element "):
            break
        words = line.split()
        if words[:1] == ["property"]:
            if len(words) != 3 or words[1] not in _TYPES or words[2] in dict(columns):
                raise _no_ply(path, f"its line {line[:60]!r} is not understood")
            columns.append((words[2], _TYPES[words[1]]))
    return int(element[1]), columns


def _no_ply(path: Path, why: str) -> BadInput:
    return BadInput(f"{path.name} cannot be read as Gaussians: {why}.", code="not_gaussians")
