"""Pickles from strangers: what is read, and that nothing else is run."""

from __future__ import annotations

import os
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lipstream.errors import BadInput, NotFound
from lipstream.training.corpora.safe_pickle import read_pickle, unpickle
from tests.unit.training.python2_pickle import dumps_python2

_OBJECT: dict[str, Any] = {
    "FaceTalk_170725": {
        "audio": np.arange(-4, 4, dtype=np.int16),
        "sample_rate": 22_000,
        "weights": np.asfortranarray(np.linspace(0, 1, 6).reshape(2, 3)),
        "nothing": None,
    },
    "list": [1.5, True, ("a", b"bytes")],
    "number": np.float32(2.5),
    "big endian": np.arange(3, dtype=">i4"),
    "ordered": OrderedDict(a=1),
}


def _equal(got: Any, expected: Any) -> bool:
    if isinstance(expected, np.ndarray):
        return np.array_equal(got, expected) and got.dtype == expected.dtype
    if isinstance(expected, dict):
        return got.keys() == expected.keys() and all(_equal(got[k], expected[k]) for k in got)
    return bool(got == expected)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_and_containers_are_read(protocol: int) -> None:
    assert _equal(unpickle(pickle.dumps(_OBJECT, protocol=protocol), "x"), _OBJECT)


def test_pickles_of_python_2_are_read(tmp_path: Path) -> None:
    templates = {"F2": np.linspace(0, 1, 30).reshape(10, 3), "M1": np.zeros((10, 3))}
    path = tmp_path / "templates.pkl"
    path.write_bytes(dumps_python2(templates))
    assert _equal(read_pickle(path), templates)


class _Runs:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/must-not-exist",)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (pickle.dumps(_Runs()), "posix.system"),
        (b"cbuiltins\neval\n(S'1'\ntR.", "builtins.eval"),
        (b"cnumpy\nload\n(S'x'\ntR.", "numpy.load"),
        (b"ccollections\ndefaultdict\n.", "collections.defaultdict"),
        (pickle.dumps(np.array([{"a": 1}], dtype=object)), "no number"),
        (pickle.dumps(np.zeros(2, dtype=[("a", "f4"), ("b", "O")])), "no number"),
        (pickle.dumps(np.array(["text"])), "no number"),
        (b"cnumpy\ndtype\n}S'_make'\nNsb.", "change a function"),
        (b"cnumpy\ndtype\n.", "constructor"),
        (pickle.dumps({1, 2}), "set"),
        (pickle.dumps({(1, 2): 3}), "tuple"),
    ],
)
def test_anything_else_is_refused_by_name(data: bytes, named: str) -> None:
    with pytest.raises(BadInput, match=named) as caught:
        unpickle(data, "evil.pkl")
    assert caught.value.code == "unsafe_pickle"


def _deep_list() -> bytes:
    value: list[Any] = []
    for _ in range(50):
        value = [value, value, value]
    return pickle.dumps(value)


def _self_containing() -> bytes:
    value: list[Any] = []
    value.append(value)
    return pickle.dumps(value)


_SHORT_ARRAY = pickle.dumps(np.zeros(4, np.float32), protocol=2)
_PROMISES_ARRAY = _SHORT_ARRAY.replace(b"K\x04\x85", b"K\x05\x85")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        pickle.dumps(_OBJECT)[:-20],
        _deep_list(),
        _self_containing(),
        _PROMISES_ARRAY,
        b"B\xff\xff\xff\x7fshort.",
        b"\x8e" + struct.pack("<Q", 1 << 40) + b"short.",
        b"\x96" + struct.pack("<Q", 1 << 34) + b"short.",
        b"\x82\x01.",  # an extension code
        b"(cos\nsystem\no.",  # OBJ
        b"(ios\nsystem\n.",  # INST
        b"Pother\n.",  # a persistent reference
        b"}b.",
    ],
)
def test_damaged_and_hostile_pickles_end_in_one_sentence(data: bytes) -> None:
    with pytest.raises(BadInput, match=r"damaged\.pkl") as caught:
        unpickle(data, "damaged.pkl")
    assert "\n" not in str(caught.value)


def test_a_memo_of_two_thousand_million_places_takes_no_memory() -> None:
    assert unpickle(b"]r\xff\xff\xff\x7f.", "memo.pkl") == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"templates\.pkl"):
        read_pickle(tmp_path / "templates.pkl")
