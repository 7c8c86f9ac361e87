"""Arrays survive the wire bit by bit; what does not fit is refused before it is used."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lipstream.errors import BadInput, TooLarge
from lipstream.v1 import common_pb2
from lipstream.wire.tensors import (
    MOTION_WIDTHS,
    Floats,
    pack_motion,
    pack_samples,
    pack_tensor,
    unpack_motion,
    unpack_samples,
    unpack_tensor,
)

F32 = common_pb2.SAMPLE_FORMAT_F32LE
S16 = common_pb2.SAMPLE_FORMAT_PCM_S16LE

finite = st.floats(-1e6, 1e6, width=32)


@given(
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1), elements=finite)
)
def test_tensors_come_back(array: Floats) -> None:
    message = common_pb2.Tensor.FromString(pack_tensor(array).SerializeToString())
    np.testing.assert_array_equal(unpack_tensor(message, array.shape[1]), array)


def test_layout_is_little_endian_rows_whatever_the_array_is_like_in_memory() -> None:
    array = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    forms: list[Floats] = [array, np.asfortranarray(array), array.astype(">f4")]
    for form in forms:
        assert pack_tensor(form).data == b"\0\0\x80?\0\0\0@\0\0@@\0\0\x80@"


@pytest.mark.parametrize(
    ("shape", "count"), [((4,), 4), ((2, 3), 6), ((2, 2, 1), 4), ((2, 2), 5), ((), 1)]
)
def test_tensors_of_other_shapes_are_refused(shape: tuple[int, ...], count: int) -> None:
    message = common_pb2.Tensor(shape=shape, data=b"\0\0\0\0" * count)
    with pytest.raises(BadInput):
        unpack_tensor(message, width=2)


def test_limits_and_values_are_checked() -> None:
    rows = np.zeros((5, 2), np.float32)
    with pytest.raises(TooLarge, match="5 rows; the limit is 4"):
        unpack_tensor(pack_tensor(rows), 2, max_rows=4)
    rows[3, 1] = np.nan
    with pytest.raises(BadInput, match="not finite"):
        unpack_tensor(pack_tensor(rows), 2)
    with pytest.raises(TooLarge):
        unpack_tensor(common_pb2.Tensor(shape=(2**31, 2)), 2)


@given(st.integers(0, 20), st.integers(0, 2**31))
def test_motion_comes_back(frames: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    arrays = {n: random.random((frames, w), np.float32) for n, w in MOTION_WIDTHS.items()}
    back = unpack_motion(pack_motion(**arrays))
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].flags.writeable


def test_motion_whose_fields_disagree_is_refused() -> None:
    arrays = {name: np.zeros((3, width), np.float32) for name, width in MOTION_WIDTHS.items()}
    message = pack_motion(**arrays)
    with pytest.raises(TooLarge, match="3 frames; the limit is 2"):
        unpack_motion(message, max_frames=2)
    message.gaze = message.gaze[:16]
    with pytest.raises(BadInput, match="disagree"):
        unpack_motion(message)
    message.gaze = b"\0" * 15
    with pytest.raises(BadInput, match="gaze: 15 bytes"):
        unpack_motion(message)


@given(hnp.arrays(np.int16, st.integers(0, 300)))
def test_pcm_comes_back(samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
    data = samples.astype("<i2").tobytes()
    floats = unpack_samples(data, S16)
    assert floats.dtype == np.float32
    assert pack_samples(floats, S16) == data
    assert np.array_equal(unpack_samples(pack_samples(floats, F32), F32), floats)


def test_loud_audio_is_clipped_not_wrapped() -> None:
    loud = np.array([2.0, -2.0, 1.0], np.float32)
    assert np.frombuffer(pack_samples(loud, S16), "<i2").tolist() == [32767, -32768, 32767]


def test_audio_that_is_cut_or_of_unknown_format_is_refused() -> None:
    with pytest.raises(BadInput, match="within a sample"):
        unpack_samples(b"\0\0\0", S16)
    with pytest.raises(BadInput):
        unpack_samples(b"\0\0\0", F32)
    with pytest.raises(BadInput, match="format"):
        unpack_samples(b"", common_pb2.SAMPLE_FORMAT_UNSPECIFIED)
    with pytest.raises(BadInput, match="format"):
        pack_samples(np.zeros(1, np.float32), common_pb2.SAMPLE_FORMAT_UNSPECIFIED)
    with pytest.raises(TooLarge):
        unpack_samples(b"\0" * 10, S16, max_samples=4)
    with pytest.raises(BadInput, match="not finite"):
        unpack_samples(np.array([np.inf], "<f4").tobytes(), F32)
