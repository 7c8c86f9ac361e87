"""Pickles from strangers, read without running what they say.

VOCASET, BIWI and DiffPoseTalk come as pickles, and a pickle is a program. This reader builds
arrays, numbers, text and plain containers, and nothing else: each name in the file is looked up in
a short list of our own stand-ins, so that no class of the file's choosing is ever imported or
called. It is Python's own interpreter of pickles in its Python version, whose memory grows with
what the file really holds.
"""

from __future__ import annotations

import math
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput, NotFound, TooLarge

__all__ = ["MAX_PICKLE_BYTES", "read_pickle", "unpickle"]

MAX_PICKLE_BYTES = 2_000_000_000
_MAX_DEPTH = 16
_NUMERIC = "biuf"
_WIDTHS = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8)}


class _Refused(Exception):
    """Says what the file asked for; becomes BadInput."""


def read_pickle(path: Path) -> Any:
    """The object in a pickle file, of whichever protocol, from Python 2 or 3.

    Returns:
        dicts, lists, tuples, text, bytes, numbers, None and arrays of numbers; Python 2's strings
        are text in Latin-1.

    Raises:
        NotFound: there is no such file.
        BadInput: the pickle asks for something else, which the message names, or is damaged.
        TooLarge: it is over `MAX_PICKLE_BYTES`.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", remedy="Check that the corpus is complete.")
    size = path.stat().st_size
    if size > MAX_PICKLE_BYTES:
        raise TooLarge(f"{path.name} is over the limit of {MAX_PICKLE_BYTES / 1e6:g} MB.")
    with path.open("rb") as file:
        return _load(_Bounded(file, size), path.name)


def unpickle(data: bytes, name: str) -> Any:
    """The object in a pickle, as `read_pickle`; `name` is what messages call it."""
    import io

    return _load(_Bounded(io.BytesIO(data), len(data)), name)


def _load(file: _Bounded, name: str) -> Any:
    try:
        loaded = _Reader(file, encoding="latin1").load()
        return _plain(loaded, {}, 0)
    except _Refused as error:
        raise BadInput(
            f"{name} was not read: {error}.",
            remedy="Only arrays of numbers, numbers, text, lists and dictionaries are read from "
            "pickles; save those alone.",
            code="unsafe_pickle",
        ) from None
    except Exception as error:  # a damaged pickle may fail in any way at all
        raise BadInput(
            f"{name} is not a readable pickle: {type(error).__name__}: {error}.",
            code="damaged_pickle",
        ) from None


class _Bounded:
    """A file that refuses to promise more bytes than it has left."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def read(self, count: int = -1) -> bytes:
        if count > self._left:
            raise EOFError("it is cut short")
        return self._counted(self._file.read(count))

    def readline(self) -> bytes:
        return self._counted(self._file.readline())

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        return data


class _Dtype:
    """Stands in for numpy.dtype: a number type, told in one or two steps."""

    def __init__(self, code: str) -> None:
        kind, width = code[:1], code[1:]
        if kind not in _NUMERIC or int(width or 0) not in _WIDTHS.get(kind, ()):
            raise _Refused(f"it holds an array of type {code!r}, which is no number")
        self._code = code
        self._order = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order, fields = state[1], state[2:5]
        if order not in ("<", ">", "|", "=") or any(part is not None for part in fields):
            raise _Refused("it holds an array with fields")
        self._order = order

    def plain(self) -> np.dtype[Any]:
        return np.dtype(self._order + self._code)


class _Array:
    """Stands in for numpy.ndarray while its state is read."""

    def __init__(self) -> None:
        self.value: NDArray[Any] = np.zeros(0, np.float32)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, dtype, fortran_order, data = state
        if not isinstance(dtype, _Dtype):
            raise _Refused("it holds an array without a type")
        self.value = _array(data, dtype, shape, "F" if fortran_order else "C")


class _Constructor:
    """A callable of ours under a name of the file's; its attributes cannot be set from there."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)

    def __setstate__(self, state: object) -> None:
        raise _Refused("it tries to change a function")


def _array(data: Any, dtype: _Dtype, shape: tuple[int, ...], order: str) -> NDArray[Any]:
    raw = data.encode("latin1") if isinstance(data, str) else bytes(data)
    plain = dtype.plain()
    if math.prod(shape) * plain.itemsize != len(raw):
        raise _Refused("an array's shape and size disagree")
    return np.frombuffer(raw, plain).reshape(shape, order="F" if order == "F" else "C")


def _reconstruct(kind: object, *_: Any) -> _Array:
    return _Array()


def _dtype(code: str, *_: Any) -> _Dtype:
    return _Dtype(str(code))


def _scalar(dtype: _Dtype, data: Any) -> Any:
    return _array(data, dtype, (), "C").item()


def _frombuffer(data: Any, dtype: _Dtype, shape: tuple[int, ...], order: str) -> _Array:
    array = _Array()
    array.value = _array(data, dtype, shape, order)
    return array


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise _Refused(f"it encodes text as {encoding!r}")
    return text.encode("latin1")


_NAMES: dict[tuple[str, str], _Constructor] = {
    ("_codecs", "encode"): _Constructor(_encode),
    ("collections", "OrderedDict"): _Constructor(OrderedDict),
    ("numpy", "dtype"): _Constructor(_dtype),
    ("numpy", "ndarray"): _Constructor(_reconstruct),
    **{
        (f"numpy.{core}.{module}", name): _Constructor(make)
        for core in ("core", "_core")
        for module, name, make in (
            ("multiarray", "_reconstruct", _reconstruct),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _frombuffer),
        )
    },
}

_Unpickler: Any = pickle._Unpickler


class _Reader(_Unpickler):  # type: ignore[misc]
    """Python's reader of pickles over the names above."""

    dispatch = {  # noqa: RUF012
        code: method
        for code, method in _Unpickler.dispatch.items()
        if bytes([code])
        not in (
            *(pickle.INST, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX),
            *(pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.PERSID, pickle.BINPERSID),
            *(pickle.NEXT_BUFFER, pickle.READONLY_BUFFER, pickle.BYTEARRAY8),
        )
    }

    def find_class(self, module: str, name: str) -> _Constructor:
        constructor = _NAMES.get((module, name))
        if constructor is None:
            raise _Refused(f"it asks for {module}.{name}")
        return constructor

    def load_bytearray(self) -> None:
        # The inherited one takes the memory that the file promises before it reads.
        size = int.from_bytes(self.read(8), "little")
        self.append(self.read(size))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray


def _plain(value: Any, done: dict[int, Any], depth: int) -> Any:
    """The object with arrays in place of their stand-ins; every part is converted once."""
    if isinstance(value, str | bytes | int | float | None):
        return value
    if depth > _MAX_DEPTH:
        raise _Refused(f"it is nested more than {_MAX_DEPTH} deep")
    if id(value) in done:
        return done[id(value)][1]
    if isinstance(value, _Array):
        result: Any = value.value
    elif isinstance(value, dict):
        result = {_key(k): _plain(v, done, depth + 1) for k, v in value.items()}
    elif isinstance(value, list):
        result = [_plain(v, done, depth + 1) for v in value]
    elif isinstance(value, tuple):
        result = tuple(_plain(v, done, depth + 1) for v in value)
    else:
        raise _Refused(f"it holds a {type(value).__name__.strip('_').lower()}")
    done[id(value)] = (value, result)  # keeping the value keeps its id from being used again
    return result


def _key(key: Any) -> Any:
    if not isinstance(key, str | bytes | int | float):
        raise _Refused(f"a dictionary's key is a {type(key).__name__.strip('_').lower()}")
    return key
