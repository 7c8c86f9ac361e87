"""Motion files by their ending: .csv (Live Link Face), .json, .npz."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lipstream.errors import BadInput
from lipstream.face.live_link import read_live_link, write_live_link
from lipstream.face.motion import Motion
from lipstream.face.motion_json import read_json, write_json
from lipstream.face.motion_npz import read_npz, write_npz

__all__ = ["load_motion", "read_json", "read_npz", "save_motion", "write_json", "write_npz"]

_ENDINGS = ".csv (Live Link Face), .json or .npz"


def save_motion(path: Path, motion: Motion | Iterable[Motion]) -> None:
    """Write a recording in the format that the path's ending names.

    Raises:
        BadInput: it names none, or the pieces differ in rate.
    """
    match path.suffix.lower():
        case ".csv":
            write_live_link(path, motion)
        case ".json":
            write_json(path, motion)
        case ".npz":
            write_npz(path, motion)
        case _:
            raise BadInput(f"{path.name} does not end in {_ENDINGS}.", remedy="Rename it.")


def load_motion(path: Path) -> Motion:
    """Read a recording in the format that the path's ending names.

    Raises:
        NotFound: no file has that path.
        BadInput: the ending names no format, or the file is damaged.
        TooLarge: it is over the size limit.
    """
    match path.suffix.lower():
        case ".csv":
            return read_live_link(path)
        case ".json":
            return read_json(path)
        case ".npz":
            return read_npz(path)
        case _:
            raise BadInput(f"{path.name} does not end in {_ENDINGS}.", remedy="Rename it.")
