"""A labelled sheet of one avatar's poses: the quickest way to see what is wrong with it.

python -m lipstream.evaluation.contact_sheet AVATAR.zip -o sheet.png
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from lipstream.avatar.quality import Cell, compose_sheet, draw_cell
from lipstream.face import bundle
from lipstream.face.model import AvatarModel
from lipstream.face.visemes import VISEMES
from lipstream.render import SplatRenderer

__all__ = ["DEFAULT_CELLS", "EXTREME_CELLS", "Cell", "draw_cell", "draw_sheet"]


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


def draw_sheet(
    model: AvatarModel,
    cells: Iterable[Cell] = DEFAULT_CELLS,
    *,
    columns: int = 4,
    cell_px: int = 320,
) -> Image.Image:
    """A sheet of poses, labelled."""
    renderer = SplatRenderer(model, 512)
    pictures = [(cell.label, draw_cell(renderer, cell)) for cell in cells]
    return compose_sheet(pictures, columns=columns, cell_px=cell_px)


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
