"""A labelled sheet of one avatar's poses: the quickest way to see what is wrong with it.

python -m lipstream.evaluation.contact_sheet AVATAR.zip -o sheet.png
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lipstream.face import bundle
from lipstream.face.drive import photo_weights
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Motion
from lipstream.face.visemes import VISEMES, blendshape_vector
from lipstream.render import Pose, SplatRenderer

__all__ = ["DEFAULT_CELLS", "EXTREME_CELLS", "Cell", "draw_cell", "draw_sheet"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One pose of the sheet."""

    label: str
    blendshapes: dict[str, float] = field(default_factory=dict)
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)  # pitch, yaw, roll
    gaze_deg: tuple[float, float] = (0.0, 0.0)  # yaw, pitch, both eyes
    as_photographed: bool = False  # with the photo's own smile


def _both(name: str, weight: float = 1.0) -> dict[str, float]:
    return {name + "Left": weight, name + "Right": weight}


DEFAULT_CELLS: tuple[Cell, ...] = (
    Cell("photo", as_photographed=True),
    *(Cell(name, weights) for name, weights in VISEMES.items()),
    Cell("yaw -10", rotation_deg=(0, -10, 0)),
    Cell("yaw +10", rotation_deg=(0, 10, 0)),
    Cell("gaze", gaze_deg=(18, 0)),
)
EXTREME_CELLS: tuple[Cell, ...] = (
    Cell("jawOpen", {"jawOpen": 1}),
    Cell("mouthPucker", {"mouthPucker": 1}),
    Cell("mouthFunnel", {"mouthFunnel": 1}),
    Cell("mouthSmile", _both("mouthSmile")),
    Cell("mouthFrown", _both("mouthFrown")),
    Cell("mouthLeft", {"mouthLeft": 1}),
    Cell("jawLeft, open", {"jawLeft": 1, "jawOpen": 0.4}),
    Cell("open, mouthClose", {"jawOpen": 0.5, "mouthClose": 0.5}),
    Cell("rolls", {"mouthRollLower": 1, "mouthRollUpper": 1}),
    Cell("brows up", {"browInnerUp": 1, **_both("browOuterUp")}),
    Cell("brows down, sneer", {**_both("browDown"), **_both("noseSneer")}),
    Cell("cheekPuff", {"cheekPuff": 1}),
    Cell("tongueOut", {"jawOpen": 0.4, "tongueOut": 1}),
    Cell("squint", {**_both("eyeSquint"), **_both("cheekSquint")}),
    Cell("wide", {**_both("eyeWide"), "jawOpen": 0.15}),
    Cell("look up", gaze_deg=(0, 18)),
    Cell("look down", gaze_deg=(0, -18)),
    Cell("half blink", _both("eyeBlink", 0.5)),
    Cell("yaw -20", rotation_deg=(0, -20, 0)),
    Cell("yaw +20", rotation_deg=(0, 20, 0)),
    Cell("pitch +12", rotation_deg=(12, 0, 0)),
    Cell("pitch -12", rotation_deg=(-12, 0, 0)),
    Cell("roll +10", rotation_deg=(0, 0, 10)),
    Cell("AA turned", VISEMES["AA"], rotation_deg=(4, 8, 3)),
)


def draw_cell(renderer: SplatRenderer, cell: Cell) -> NDArray[np.uint8]:  # [S, S, 3]
    """Render one pose."""
    if cell.as_photographed:
        return renderer.rgb(Pose(photo_weights(renderer.model))).copy()
    yaw, pitch = np.deg2rad(cell.gaze_deg)
    motion = Motion(
        blendshape_vector(cell.blendshapes)[None],
        np.deg2rad(np.array([cell.rotation_deg])).astype(np.float32),
        np.zeros((1, 3), np.float32),
        np.array([[yaw, pitch, yaw, pitch]], np.float32),
    )
    return renderer.rgb(renderer.pose(motion)).copy()


def draw_sheet(
    model: AvatarModel,
    cells: Iterable[Cell] = DEFAULT_CELLS,
    *,
    columns: int = 4,
    cell_px: int = 320,
    window: tuple[float, float, float, float] = (0.12, 0.04, 0.88, 0.80),
) -> Image.Image:
    """A sheet of poses, labelled.

    Args:
        window: the part of each picture that is shown: left, top, right, bottom, 0..1.
    """
    renderer = SplatRenderer(model, 512)
    pictures = [(cell.label, Image.fromarray(draw_cell(renderer, cell))) for cell in cells]
    rows = -(-len(pictures) // columns)
    left, top, right, bottom = (round(edge * 512) for edge in window)
    cell_height = round(cell_px * (bottom - top) / (right - left))
    sheet = Image.new("RGB", (columns * cell_px, rows * cell_height))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=max(10, cell_px // 16))
    for k, (label, picture) in enumerate(pictures):
        x, y = k % columns * cell_px, k // columns * cell_height
        cropped = picture.crop((left, top, right, bottom))
        sheet.paste(cropped.resize((cell_px, cell_height), Image.Resampling.LANCZOS), (x, y))
        draw.text((x + 6, y + 4), label, "white", font=font, stroke_width=2, stroke_fill="black")
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("avatar", type=Path, help="avatar bundle")
    parser.add_argument("-o", "--out", type=Path, default=Path("sheet.png"))
    parser.add_argument("--extreme", action="store_true", help="poses at the ends of their range")
    arguments = parser.parse_args()
    model = bundle.load(arguments.avatar).model
    draw_sheet(model, EXTREME_CELLS if arguments.extreme else DEFAULT_CELLS).save(arguments.out)
    print(arguments.out)


if __name__ == "__main__":
    main()
