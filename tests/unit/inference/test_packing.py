"""State as bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.inference import pack, unpack


def test_round_trip() -> None:
    arrays: dict[str, NDArray[Any]] = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "none": np.zeros((0, 5), np.float64),
        "counts": np.array([1, -2], np.int64),
    }
    restored = unpack(pack(arrays))
    assert list(restored) == list(arrays)
    for name, array in arrays.items():
        assert restored[name].dtype == array.dtype
        assert np.array_equal(restored[name], array)
        restored[name][...] = 0  # writable: no view into the bytes


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        unpack(data)


@given(st.data())
def test_damaged_bytes_never_do_worse_than_bad_input(data: st.DataObject) -> None:
    packed = bytearray(pack({"a": np.arange(4, dtype=np.float32)}))
    position = data.draw(st.integers(0, len(packed) - 1))
    packed[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(packed)))
    try:
        unpack(bytes(packed[:cut]))
    except BadInput:
        return


def test_a_huge_shape_takes_no_memory() -> None:
    header = b'[["a","<f4",[1000000,1000000]]]'
    with pytest.raises(BadInput, match="cut short"):
        unpack(b"LSA1" + len(header).to_bytes(4, "little") + header)


def test_other_types_cannot_be_packed() -> None:
    with pytest.raises(TypeError, match="cannot be packed"):
        pack({"a": np.array(["text"])})
