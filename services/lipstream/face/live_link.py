"""Live Link Face CSV: motion for Unreal, Blender, Maya and Unity to import.

One row a frame: a timecode, the number of values (61), the 52 blendshapes in ARKit's order and
nine angles in radians. Head translation has no column and is lost.

Signs. The file's angles turn about ARKit's own axes (x to the person's left, y up, z out of the
face) by the right-hand rule, so that positive yaw turns to the person's left, positive pitch
looks down and positive roll tilts to the person's right shoulder. `Motion` counts pitch up and
roll to the left shoulder as positive: these two change sign on the way, for the eyes too. Eyes
do not roll.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.arkit import BLENDSHAPE_COUNT, LIVE_LINK_COLUMNS
from lipstream.face.motion import Floats, Motion
from lipstream.face.motion_pieces import MAX_FRAMES, check_rate, motion_pieces, read_text, text_file

__all__ = ["read_live_link", "write_live_link"]

_HEADER = ("Timecode", "BlendShapeCount", *LIVE_LINK_COLUMNS)
_VALUES = len(LIVE_LINK_COLUMNS)
_TIMECODE = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2}):(\d{1,4}(?:\.\d{1,9})?)")
_COMMON_RATES = (24.0, 25.0, 30.0, 50.0, 60.0)
_DAY_SECONDS = 24 * 3_600

# Columns of the nine angles, and what `Motion` has to say to them.
_YAW, _PITCH, _ROLL = (LIVE_LINK_COLUMNS.index(f"Head{name}") for name in ("Yaw", "Pitch", "Roll"))
_EYES = tuple(
    LIVE_LINK_COLUMNS.index(f"{side}Eye{name}")
    for side in ("Left", "Right")
    for name in ("Yaw", "Pitch")
)
_GAZE_SIGNS = np.asarray([1, -1, 1, -1], np.float32)


@dataclass(frozen=True, slots=True)
class _Timecode:
    second: int
    frame: float


def write_live_link(destination: Path | TextIO, motion: Motion | Iterable[Motion]) -> int:
    """Write a recording, piece by piece as it comes.

    The timecode is HH:MM:SS:FF.mmm from zero, with FF the frame within its second and mmm the
    thousandths of a frame, which are not zero where the rate is no whole number.

    Returns:
        The number of frames written.

    Raises:
        BadInput: the pieces differ in rate.
    """
    count = 0
    with text_file(destination) as file:
        file.write(",".join(_HEADER) + "\n")
        for piece in motion_pieces(motion):
            for row in _values(piece):
                values = ",".join(f"{value:.8f}" for value in row)
                file.write(f"{_timecode(count, piece.fps)},{_VALUES},{values}\n")
                count += 1
    return count


def read_live_link(source: Path | TextIO, *, fps: float | None = None) -> Motion:
    """Read a recording, by this or another program.

    Columns are found by name in any case and order; absent ones are at rest.

    Args:
        fps: its rate; by default told from the timecodes.

    Raises:
        BadInput: this is not such a file, or a value in it is not a finite number.
        TooLarge: it is over the size limit.
    """
    reader = csv.reader(read_text(source).splitlines())
    try:
        header = next(reader, [])
        places = _places(header)
        times: list[_Timecode] = []
        rows: list[list[float]] = []
        for row in reader:
            if not row:
                continue
            if len(rows) == MAX_FRAMES:
                raise BadInput(f"The Live Link file has more than {MAX_FRAMES:,} frames.")
            times.append(_parse_timecode(row[0], reader.line_num))
            rows.append(_parse_row(row, len(header), reader.line_num))
    except csv.Error as error:
        raise _malformed(reader.line_num, str(error)) from None
    table = np.zeros((len(rows), _VALUES), np.float32)
    known = [(source, target) for target, source in enumerate(places) if source is not None]
    if rows and known:
        with np.errstate(over="ignore"):  # what is beyond float32 is refused as infinite
            picked = np.asarray(rows, np.float32)[:, [source - 2 for source, _ in known]]
        table[:, [target for _, target in known]] = picked
    return _motion(table, check_rate(fps if fps is not None else _rate(times)))


def _values(motion: Motion) -> Iterator[list[float]]:
    """Rows of 61."""
    table = np.zeros((len(motion), _VALUES), np.float32)
    table[:, :BLENDSHAPE_COUNT] = motion.blendshapes
    pitch, yaw, roll = motion.rotation.T
    table[:, _YAW], table[:, _PITCH], table[:, _ROLL] = yaw, -pitch, -roll
    table[:, _EYES] = motion.gaze * _GAZE_SIGNS
    # Adding zero turns -0.0 into 0.0, which reads better.
    yield from (table + np.float32(0.0)).tolist()


def _motion(table: Floats, fps: float) -> Motion:  # [T, 61]
    return Motion(
        blendshapes=table[:, :BLENDSHAPE_COUNT].copy(),
        rotation=np.stack([-table[:, _PITCH], table[:, _YAW], -table[:, _ROLL]], axis=1),
        translation=np.zeros((len(table), 3), np.float32),
        gaze=table[:, _EYES] * _GAZE_SIGNS,
        fps=fps,
    )


def _timecode(index: int, fps: float) -> str:
    # Millionths keep 1/fps sums from falling just short of a second.
    second = int(index / fps + 1e-6)
    thousandths = max(round((index - second * fps) * 1_000), 0)
    hours, minutes, seconds = second // 3_600, second // 60 % 60, second % 60
    frame, fraction = divmod(thousandths, 1_000)
    return f"{hours:02}:{minutes:02}:{seconds:02}:{frame:02}.{fraction:03}"


def _parse_timecode(text: str, line: int) -> _Timecode:
    match = _TIMECODE.fullmatch(text.strip())
    if match is None:
        raise _malformed(line, "its timecode is not HH:MM:SS:FF.mmm")
    hours, minutes, seconds = (int(part) for part in match.groups()[:3])
    return _Timecode(hours * 3_600 + minutes * 60 + seconds, float(match[4]))


def _parse_row(row: list[str], columns: int, line: int) -> list[float]:
    if len(row) != columns:
        raise _malformed(line, f"it has {len(row)} columns where the header has {columns}")
    try:
        return [float(value) for value in row[2:]]
    except ValueError:
        raise _malformed(line, "a value is not a number") from None


def _places(header: list[str]) -> list[int | None]:
    """For each of the 61 values, its column in the file."""
    names = [name.strip().lower() for name in header]
    if names[:2] != ["timecode", "blendshapecount"]:
        raise BadInput(
            "This is not a Live Link Face CSV: its first line does not begin with "
            "Timecode,BlendShapeCount.",
            code="not_live_link",
        )
    if len(set(names)) != len(names):
        raise _malformed(1, "a column occurs twice")
    return [names.index(n) if n in names else None for n in map(str.lower, LIVE_LINK_COLUMNS)]


def _rate(times: list[_Timecode]) -> float:
    """Frames a second, from the rows between the first and the last change of second."""
    changes = [
        index for index in range(1, len(times)) if times[index].second != times[index - 1].second
    ]
    if len(changes) >= 2:
        first, last = changes[0], changes[-1]
        elapsed_s = (times[last].second - times[first].second) % _DAY_SECONDS
        if elapsed_s > 0:
            rate = (last - first) / elapsed_s
            return float(round(rate)) if abs(rate - round(rate)) < 0.02 else rate
    highest = max((time.frame for time in times), default=0.0)
    return next((rate for rate in _COMMON_RATES if highest < rate - 0.5), _COMMON_RATES[-1])


def _malformed(line: int, reason: str) -> BadInput:
    return BadInput(
        f"Line {line} of the Live Link file is damaged: {reason}.", code="not_live_link"
    )
