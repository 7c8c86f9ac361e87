"""Constants as text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipstream.errors import Internal
from lipstream.inference.constants import decode_constant, encode_constant


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=40))
def test_values_come_back_exactly(values: list[float]) -> None:
    array = np.array(values, np.float32)
    np.testing.assert_array_equal(decode_constant(encode_constant(array)), array)


def test_runs_are_short() -> None:
    values = np.concatenate([np.zeros(8000), [100], np.zeros(300)]).astype(np.float32)
    assert encode_constant(values) == "0*8000 100 0*300"


def test_values_without_runs_are_compressed() -> None:
    values = np.random.default_rng(0).normal(size=8337).astype(np.float32)
    text = encode_constant(values)
    assert len(text) < 6 * len(values)
    np.testing.assert_array_equal(decode_constant(text), values)


def test_plain_lists_are_read() -> None:
    assert decode_constant("40 80 120").tolist() == [40, 80, 120]


@pytest.mark.parametrize(
    "text", ["one", "1*x", "1*-2", "1*99999999999", "1*2*3", "zlib:AAAA", "zlib:?", "zlib:eJw="]
)
def test_damage_is_named(text: str) -> None:
    with pytest.raises(Internal, match="constant of the model is damaged"):
        decode_constant(text)
