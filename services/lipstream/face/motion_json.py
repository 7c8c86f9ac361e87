"""Motion as JSON: for programs that would rather not parse a CSV of unnamed angles.

The file names its blendshapes and says its conventions, and one line holds one frame. Values are
rounded to six decimals.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.arkit import BLENDSHAPE_COUNT, BLENDSHAPES, INDEX
from lipstream.face.motion import Floats, Motion
from lipstream.face.motion_pieces import MAX_FRAMES, check_rate, motion_pieces, read_text, text_file

__all__ = ["read_json", "write_json"]

_FORMAT = "lipstream.motion"
_VERSION = 1
_DECIMALS = 6
_CONVENTIONS = {
    "blendshapes": "0 at rest, 1 at the full extent",
    "head_rotation": "pitch, yaw, roll in radians; positive looks up, turns to the person's own "
    "left, tilts to the person's own left shoulder",
    "head_translation": "millimetres along the person's left, up, towards the camera",
    "gaze": "left yaw, left pitch, right yaw, right pitch in radians, signs as head_rotation",
}
_FIELDS = {
    "blendshapes": BLENDSHAPE_COUNT,
    "head_rotation": 3,
    "head_translation": 3,
    "gaze": 4,
}
_DEFAULT_FPS = 25.0


def write_json(destination: Path | TextIO, motion: Motion | Iterable[Motion]) -> int:
    """Write a recording, piece by piece as it comes.

    Returns:
        The number of frames written.

    Raises:
        BadInput: the pieces differ in rate.
    """
    count = 0
    fps = motion.fps if isinstance(motion, Motion) else _DEFAULT_FPS
    opened = False
    with text_file(destination) as file:
        for piece in motion_pieces(motion):
            if not opened:
                file.write(_opening(piece.fps))
                opened = True
            for frame in _frames(piece):
                file.write(",\n" if count else "\n")
                json.dump(frame, file, separators=(",", ":"))
                count += 1
        file.write("\n]}\n" if opened else _opening(fps) + "]}\n")
    return count


def read_json(source: Path | TextIO) -> Motion:
    """Read a recording. Blendshapes may stand in any order; those not named are at rest.

    Raises:
        BadInput: this is not such a file, or a value in it is not a finite number.
        TooLarge: it is over the size limit.
    """
    try:
        document = json.loads(read_text(source))
    except (ValueError, RecursionError):
        raise BadInput("The motion file is not valid JSON.", code="not_motion") from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise BadInput(f"The file's format is not {_FORMAT}.", code="not_motion")
    if document.get("version") != _VERSION:
        raise BadInput(
            f"The motion file has version {str(document.get('version'))[:20]}; "
            f"this program reads version {_VERSION}.",
            remedy="Update the program.",
            code="not_motion",
        )
    fps = check_rate(document.get("fps"))
    names = _names(document.get("blendshape_names"))
    frames = document.get("frames")
    if not isinstance(frames, list) or len(frames) > MAX_FRAMES:
        raise BadInput(f"`frames` is not a list of at most {MAX_FRAMES:,}.", code="not_motion")
    named = _column(frames, "blendshapes", len(names))
    blendshapes = np.zeros((len(frames), BLENDSHAPE_COUNT), np.float32)
    blendshapes[:, [INDEX[name] for name in names]] = named
    rotation, translation, gaze = (
        _column(frames, name, _FIELDS[name])
        for name in ("head_rotation", "head_translation", "gaze")
    )
    return Motion(blendshapes, rotation, translation, gaze, fps)


def _opening(fps: float) -> str:
    head = {
        "format": _FORMAT,
        "version": _VERSION,
        "fps": fps,
        "conventions": _CONVENTIONS,
        "blendshape_names": BLENDSHAPES,
    }
    return json.dumps(head)[:-1] + ', "frames": ['


def _frames(motion: Motion) -> Iterator[dict[str, list[float]]]:
    columns = [
        np.round(values.astype(np.float64), _DECIMALS).tolist()
        for values in (motion.blendshapes, motion.rotation, motion.translation, motion.gaze)
    ]
    for values in zip(*columns, strict=True):
        yield dict(zip(_FIELDS, values, strict=True))


def _names(names: Any) -> list[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadInput("`blendshape_names` is not a list of names.", code="not_motion")
    unknown = [name for name in names if name not in INDEX]
    if unknown:
        raise BadInput(
            f"There is no ARKit blendshape named {unknown[0][:40]!r}.", code="not_motion"
        )
    if len(set(names)) != len(names):
        raise BadInput("`blendshape_names` names a blendshape twice.", code="not_motion")
    return names


def _column(frames: list[Any], name: str, width: int) -> Floats:  # [T, width]
    try:
        rows = [frame[name] for frame in frames]
        if any(len(row) != width for row in rows):
            raise ValueError
        return np.asarray(rows, np.float32).reshape(len(frames), width)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise BadInput(
            f"`{name}` is not {width} numbers in every frame.", code="not_motion"
        ) from None
