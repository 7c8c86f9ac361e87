"""Byte ranges against their definition: whatever is asked, only bytes of the file are named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipstream.gateway.ranges import ByteRange, UnsatisfiableRange, parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-9", ByteRange(0, 10)),
        ("bytes=90-", ByteRange(90, 100)),
        ("bytes=-10", ByteRange(90, 100)),
        ("bytes=-1000", ByteRange(0, 100)),
        ("bytes=50-1000", ByteRange(50, 100)),
        ("bytes = 1 - 2", ByteRange(1, 3)),
    ],
)
def test_ranges_within_the_file(header: str, expected: ByteRange) -> None:
    assert parse_range(header, 100) == expected


@pytest.mark.parametrize("header", [None, "", "items=0-1", "bytes=-", "bytes=5-2", "bytes=0-1,3-4"])
def test_what_cannot_be_read_means_the_whole_file(header: str | None) -> None:
    assert parse_range(header, 100) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=100-", 100), ("bytes=0-", 0), ("bytes=-0", 9)]
)
def test_nothing_in_the_file(header: str, size: int) -> None:
    with pytest.raises(UnsatisfiableRange, match=f"\\*/{size}"):
        parse_range(header, size)


@given(st.text(max_size=40) | st.from_regex(r"bytes=\d{0,20}-\d{0,20}"), st.integers(0, 10**12))
def test_any_header_names_bytes_of_the_file_or_none(header: str, size: int) -> None:
    try:
        found = parse_range(header, size)
    except UnsatisfiableRange:
        return
    if found is not None:
        assert 0 <= found.start < found.stop <= size
        assert len(found) == found.stop - found.start
