"""What every motion file format shares: pieces of one rate, sources and their limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from lipstream.errors import BadInput, NotFound, TooLarge
from lipstream.face.motion import Motion

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_FRAMES",
    "check_rate",
    "motion_pieces",
    "read_bytes",
    "read_text",
    "text_file",
]

MAX_FILE_BYTES = 256_000_000
MAX_FRAMES = 1_000_000
"""About eleven hours at 25 frames a second."""


def motion_pieces(motion: Motion | Iterable[Motion]) -> Iterator[Motion]:
    """The pieces of one motion.

    Raises:
        BadInput: they differ in rate.
    """
    fps: float | None = None
    for piece in [motion] if isinstance(motion, Motion) else motion:
        if fps is not None and piece.fps != fps:
            raise BadInput(f"The motion changes its rate from {fps:g} to {piece.fps:g} fps.")
        fps = piece.fps
        yield piece


def check_rate(fps: object) -> float:
    """A frame rate from a file.

    Raises:
        BadInput: it is not a number between 1 and 1000.
    """
    if isinstance(fps, bool) or not isinstance(fps, int | float) or not math.isfinite(fps):
        raise BadInput("The motion file has no frame rate.", code="not_motion")
    if not 1 <= fps <= 1_000:
        raise BadInput(f"A frame rate of {fps:g} is not between 1 and 1000.", code="not_motion")
    return float(fps)


@contextmanager
def text_file(destination: Path | TextIO) -> Iterator[TextIO]:
    """The destination, open for writing; one that was opened here is closed."""
    if isinstance(destination, Path):
        with destination.open("w", encoding="utf-8", newline="\n") as file:
            yield file
    else:
        yield destination


def read_bytes(source: Path | BinaryIO | bytes) -> bytes:
    """The whole source.

    Raises:
        NotFound: no file has that path.
        TooLarge: it is over `MAX_FILE_BYTES`.
    """
    if isinstance(source, bytes):
        data = source
    elif isinstance(source, Path):
        with _opened(source) as file:
            data = file.read(MAX_FILE_BYTES + 1)
    else:
        data = source.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise TooLarge(f"The motion file is over the limit of {MAX_FILE_BYTES / 1e6:g} MB.")
    return data


def read_text(source: Path | TextIO) -> str:
    """The whole source.

    Raises:
        NotFound: no file has that path.
        BadInput: it is not UTF-8.
        TooLarge: it is over `MAX_FILE_BYTES`.
    """
    if not isinstance(source, Path):
        text = source.read(MAX_FILE_BYTES + 1)
        if len(text) > MAX_FILE_BYTES:
            raise TooLarge(f"The motion file is over the limit of {MAX_FILE_BYTES / 1e6:g} MB.")
        return text
    try:
        return read_bytes(source).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("The motion file is not text in UTF-8.", code="not_motion") from None


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.", remedy="Check the path.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
