"""Poses of one avatar side by side, labelled: the quickest way to see what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lipstream.face.drive import photo_weights
from lipstream.face.motion import Motion
from lipstream.face.visemes import VISEMES, blendshape_vector
from lipstream.render import Pose, SplatRenderer

__all__ = ["PREVIEW_CELLS", "Cell", "Window", "compose_sheet", "draw_cell", "pose_of"]

Picture = NDArray[np.uint8]  # [S, S, 3] sRGB
Window = tuple[float, float, float, float]
"""The part of each picture that is shown: left, top, right, bottom, 0..1."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One pose of the sheet."""

    label: str
    blendshapes: Mapping[str, float] = field(default_factory=dict)
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)  # pitch, yaw, roll
    gaze_deg: tuple[float, float] = (0.0, 0.0)  # yaw, pitch, both eyes
    as_photographed: bool = False  # with the photo's own smile


PREVIEW_CELLS: tuple[Cell, ...] = (
    Cell("photo", as_photographed=True),
    *(Cell(name, weights) for name, weights in VISEMES.items()),
    Cell("smile", {"mouthSmileLeft": 0.7, "mouthSmileRight": 0.7}),
    Cell("yaw -15", rotation_deg=(0, -15, 0)),
    Cell("yaw +15", rotation_deg=(0, 15, 0)),
)
"""What an avatar's bundle shows of it: rest, six visemes, a blink, a smile, a turn."""


def pose_of(renderer: SplatRenderer, cell: Cell) -> Pose:
    """What the renderer is to draw for a cell."""
    if cell.as_photographed:
        return Pose(photo_weights(renderer.model))
    yaw, pitch = np.deg2rad(cell.gaze_deg)
    motion = Motion(
        blendshape_vector(cell.blendshapes)[None],
        np.deg2rad(np.array([cell.rotation_deg])).astype(np.float32),
        np.zeros((1, 3), np.float32),
        np.array([[yaw, pitch, yaw, pitch]], np.float32),
    )
    return renderer.pose(motion)


def draw_cell(renderer: SplatRenderer, cell: Cell) -> Picture:
    """Render one pose."""
    return renderer.rgb(pose_of(renderer, cell)).copy()


def compose_sheet(
    pictures: Iterable[tuple[str, Picture]],
    *,
    columns: int = 4,
    cell_px: int = 320,
    window: Window = (0.12, 0.04, 0.88, 0.80),
) -> Image.Image:
    """Lay pictures out with their labels."""
    images = [(label, Image.fromarray(picture)) for label, picture in pictures]
    rows = -(-len(images) // columns)
    left, top, right, bottom = window
    cell_height = round(cell_px * (bottom - top) / (right - left))
    sheet = Image.new("RGB", (columns * cell_px, rows * cell_height))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=max(10, cell_px // 16))
    for k, (label, image) in enumerate(images):
        x, y = k % columns * cell_px, k // columns * cell_height
        side = image.width
        shown = image.crop((left * side, top * side, right * side, bottom * side))
        sheet.paste(shown.resize((cell_px, cell_height), Image.Resampling.LANCZOS), (x, y))
        draw.text((x + 6, y + 4), label, "white", font=font, stroke_width=2, stroke_fill="black")
    return sheet
