"""Where a command's result goes, checked before minutes are spent on making it."""

from __future__ import annotations

from pathlib import Path

from lipstream.errors import BadInput

__all__ = ["check_output", "size_text"]

_KILO = 1000


def check_output(path: Path, *endings: str) -> None:
    """Whether a file may be written to `path`, which ends in one of `endings`, or in none.

    Raises:
        BadInput: it has another ending, or its folder does not exist.
    """
    if path.suffix and path.suffix.lower() not in endings:
        wanted = " or ".join(endings)
        raise BadInput(f"{path.name} does not end in {wanted}.", remedy="Choose another name.")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise BadInput(f"{path}: the folder {folder} does not exist.", remedy="Create it first.")


def size_text(size_bytes: int) -> str:
    """`size_bytes` in kB, or in MB from one on."""
    if size_bytes < _KILO**2:
        return f"{max(1, round(size_bytes / _KILO))} kB"
    return f"{size_bytes / _KILO**2:.1f} MB"
