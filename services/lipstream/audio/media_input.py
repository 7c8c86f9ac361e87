"""The bytes of an upload, handed to the demuxer under a budget.

A hostile file may be huge, endless, or make a demuxer jump back and forth for ever. This reader
counts what is read, so that each of these ends in a refusal after bounded work.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from lipstream.audio.limits import AudioLimits
from lipstream.errors import BadInput, LipstreamError, NotFound, TooLarge

__all__ = ["MediaInput", "MediaSource", "open_media"]

MediaSource: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO
"""A path, the bytes themselves, or an open binary file (a pipe will do)."""

_READS_OF_WHOLE_FILE = 8
_SPARE_BYTES = 16_000_000


class MediaInput:
    """File-like view of a source for PyAV; remembers the refusal that stopped it.

    An exception raised inside a read passes through C code and may arrive as another one, so
    the caller asks `refusal` first.
    """

    def __init__(self, file: BinaryIO, limits: AudioLimits) -> None:
        self._file = file
        self._limits = limits
        self._seekable = file.seekable()
        self.size_bytes = file.seek(0, io.SEEK_END) if self._seekable else None
        if self.size_bytes is not None:
            file.seek(0)
            if self.size_bytes > limits.max_bytes:
                raise self._too_large()
        budget = limits.max_bytes
        if self.size_bytes is not None:
            budget = self.size_bytes * _READS_OF_WHOLE_FILE + _SPARE_BYTES
        self._budget_bytes = budget
        self.refusal: LipstreamError | None = None

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._budget_bytes -= len(data)
        if self._budget_bytes < 0:
            self.refusal = self._endless() if self._seekable else self._too_large()
            raise self.refusal
        return data

    def seekable(self) -> bool:
        return self._seekable

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def head(self, size: int) -> bytes:
        """The first bytes, for an explanation; empty where the source cannot go back."""
        if not self._seekable:
            return b""
        self._file.seek(0)
        return self._file.read(size)

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"The audio file is over the limit of {self._limits.max_megabytes:g} MB.",
            remedy="Send it compressed (MP3, Opus, FLAC), or in parts.",
        )

    def _endless(self) -> BadInput:
        return BadInput(
            "The media file makes its reader jump back and forth without end.",
            remedy="Convert it to WAV, FLAC or MP3 and send that.",
            code="damaged_media",
        )


@contextmanager
def open_media(source: MediaSource, limits: AudioLimits) -> Iterator[MediaInput]:
    """Open a source for decoding; a file that was opened here is closed at the end.

    Raises:
        NotFound: no file has that path.
        BadInput: the path is not a readable file.
        TooLarge: it is over `limits.max_bytes`.
    """
    if isinstance(source, bytes):
        yield MediaInput(io.BytesIO(source), limits)
    elif isinstance(source, str | os.PathLike):
        with _open_path(Path(source)) as file:
            yield MediaInput(file, limits)
    else:
        yield MediaInput(source, limits)


def _open_path(path: Path) -> BinaryIO:
    try:
        kind = path.stat().st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind)):
            raise BadInput(f"{path} is not a file.", remedy="Give the path of an audio file.")
        return path.open("rb")
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.", remedy="Check the path.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadInput(f"{path} cannot be read: {reason}.") from None
