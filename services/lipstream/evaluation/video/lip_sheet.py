"""Mouths with the lines that were found on them, to see whether they sit on the lips."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lipstream.evaluation.utterance import Utterance
from lipstream.evaluation.video.mouth import Seer
from lipstream.evaluation.video.pictures import Picture, pictures
from lipstream.face.landmarks import EYES, LOWER_LIP, UPPER_LIP, Ring
from lipstream.motion.phones import BILABIALS, OPEN_VOWELS, SPREAD_VOWELS, Segment

__all__ = ["draw_lips"]

Pixels = NDArray[np.uint8]

_CELL_PX = 240
_COLUMNS = 6
_MOST_CELLS = 24
_SHOWN = BILABIALS | OPEN_VOWELS | SPREAD_VOWELS | {"uw", "w", "o", "f", "v"}
_COLORS = {Ring.INNER: (0, 255, 0), Ring.BORDER: (255, 255, 0)}


def draw_lips(path: Path, speech: Utterance, seer: Seer) -> Image.Image:
    """A sheet of the frames nearest to the middles of telling phones, in order of time."""
    phones = [segment for segment in speech.segments if segment.symbol in _SHOWN][:_MOST_CELLS]
    nearest: list[tuple[float, Picture | None]] = [(float("inf"), None)] * len(phones)
    for picture in pictures(path):
        for index, phone in enumerate(phones):
            away_s = abs(picture.time_s - (phone.start_s + phone.end_s) / 2)
            if away_s < nearest[index][0]:
                nearest[index] = (away_s, picture)
    rows = max(-(-len(phones) // _COLUMNS), 1)
    sheet = Image.new("RGB", (_COLUMNS * _CELL_PX, rows * _CELL_PX))
    for index, (phone, (_, found)) in enumerate(zip(phones, nearest, strict=True)):
        if found is not None:
            cell = Image.fromarray(_cell(found.pixels, seer))
            _label(cell, phone, found.time_s)
            row, column = divmod(index, _COLUMNS)
            sheet.paste(cell, (column * _CELL_PX, row * _CELL_PX))
    return sheet


def _cell(pixels: Pixels, seer: Seer) -> Pixels:
    landmarks = seer.landmarks(pixels)
    blank: Pixels = np.zeros((_CELL_PX, _CELL_PX, 3), np.uint8)
    if landmarks is None:
        return blank
    points = landmarks[:, :2]
    border = points[list(UPPER_LIP[Ring.BORDER] + LOWER_LIP[Ring.BORDER])]
    middle = border.mean(0)
    left, right = (points[EYES[side].upper[0]] for side in ("Left", "Right"))
    zoom = _CELL_PX / (1.5 * float(np.linalg.norm(left - right)))
    warp = np.array([[zoom, 0, 0], [0, zoom, 0]])
    warp[:, 2] = _CELL_PX / 2 - zoom * middle
    cell = cv2.warpAffine(pixels, warp, (_CELL_PX, _CELL_PX), flags=cv2.INTER_CUBIC)
    for ring, color in _COLORS.items():
        for lip in (UPPER_LIP[ring], LOWER_LIP[ring]):
            line = np.round(points[list(lip)] * zoom + warp[:, 2]).astype(np.int32)
            cv2.polylines(cell, [line], False, color, 1, cv2.LINE_AA)
    return np.asarray(cell, np.uint8)


def _label(cell: Image.Image, phone: Segment, time_s: float) -> None:
    text = f"{phone.symbol}  {time_s:.2f} s"
    ImageDraw.Draw(cell).text((6, 4), text, (255, 255, 255), stroke_width=2, stroke_fill=(0, 0, 0))
