"""Where a film goes: it grows beside its target and replaces it in one step, or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lipstream.errors import BadInput, Unavailable

__all__ = ["Sink", "Target"]

Target = str | os.PathLike[str] | BinaryIO
"""A path, replaced when the film is complete, or a binary file, written at the end."""

_COPY_BYTES = 1 << 20


class Sink:
    """A target, and the file or folder `part` that becomes it.

    Args:
        ending: of the part's name.
        folder: the target is a folder; one that is there must be empty.

    Raises:
        BadInput: the target's folder does not exist, or the target is none that may be replaced.
    """

    def __init__(self, target: Target, ending: str, *, folder: bool = False) -> None:
        self._target = target
        parent = Path(tempfile.gettempdir())
        if isinstance(target, (str, os.PathLike)):
            parent = Path(target).absolute().parent
            if not parent.is_dir():
                raise BadInput(f"The folder {parent} does not exist.", remedy="Create it first.")
            _check(Path(target), folder)
        self.part = parent / f".lipstream-{secrets.token_hex(8)}.part{ending}"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """
        Raises:
            Unavailable: instead of any `OSError` inside.
        """
        try:
            yield
        except OSError as error:
            target = self._target
            name = f" to {os.fspath(target)}" if isinstance(target, (str, os.PathLike)) else ""
            raise Unavailable(
                f"The video cannot be written{name}: {error.strerror or error}.",
                remedy="Check that the disk has room and the folder can be written.",
            ) from error

    def deliver(self) -> int:
        """Put the part in the target's place; return its size in bytes."""
        with self.writing():
            files = [self.part, *self.part.rglob("*")] if self.part.is_dir() else [self.part]
            size_bytes = sum(file.stat().st_size for file in files if file.is_file())
            if isinstance(self._target, (str, os.PathLike)):
                self.part.replace(self._target)
            else:
                with self.part.open("rb") as part:
                    shutil.copyfileobj(part, self._target, _COPY_BYTES)
                self.part.unlink()
        return size_bytes

    def discard(self) -> None:
        """Leave nothing behind."""
        if self.part.is_dir():
            shutil.rmtree(self.part, ignore_errors=True)
        else:
            self.part.unlink(missing_ok=True)


def _check(path: Path, folder: bool) -> None:
    if folder:
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise BadInput(f"{path} is no empty folder.", remedy="Name a new one.")
    # Replaced it would be, and a device must not be.
    elif path.exists() and not path.is_file():
        raise BadInput(f"{path} is no file.", remedy="Name a file for the video.")
