"""HTTP byte ranges (RFC 9110, section 14), so that players can seek in a video."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ByteRange", "UnsatisfiableRange", "parse_range"]

_SINGLE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class UnsatisfiableRange(ValueError):
    """The range starts behind the end of the file."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    start: int
    stop: int
    """One past the last byte."""

    def __len__(self) -> int:
        return self.stop - self.start


def parse_range(header: str | None, size_bytes: int) -> ByteRange | None:
    """The single range that `header` asks for of a file of `size_bytes`.

    Returns None when the whole file is to be sent: no header, another unit, several ranges or a
    malformed one (a server may ignore those).

    Raises:
        UnsatisfiableRange: nothing of the range lies in the file.
    """
    match = _SINGLE.fullmatch((header or "").strip().replace(" ", ""))
    if match is None:
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:
        start, stop = max(size_bytes - int(last), 0), size_bytes
    else:
        start = int(first)
        stop = min(int(last) + 1, size_bytes) if last else size_bytes
        if last and int(last) < start:
            return None
    if start >= stop:
        raise UnsatisfiableRange(f"bytes */{size_bytes}")
    return ByteRange(start, stop)
