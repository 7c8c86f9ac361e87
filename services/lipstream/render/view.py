"""Which part of an avatar's square canvas a picture shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from lipstream.face.model import AvatarModel
from lipstream.wire.output import PictureSize

__all__ = ["View"]

_FACE_VERTICES = 468


@dataclass(frozen=True, slots=True)
class View:
    """The canvas, scaled and placed in the picture.

    An upright picture is as high as the canvas and shows its middle, the face's middle in that of
    the picture. Where the face is far off the canvas's middle, the picture reaches beyond it.
    """

    size: PictureSize
    canvas_px: int  # side of the whole canvas, in pixels of the picture
    left_px: int  # where the canvas begins in the picture; negative: cut off

    @classmethod
    def of(cls, model: AvatarModel, size: int | PictureSize) -> Self:
        size = PictureSize.of(size)
        side = size.height_px
        if size.width_px == side:
            return cls(size, side, 0)
        return cls(size, side, round(size.width_px / 2 - _middle(model) * side))

    @property
    def centre_px(self) -> tuple[float, float]:
        """Where the camera's axis meets the picture: x, y."""
        return self.left_px + self.canvas_px / 2, self.canvas_px / 2

    @property
    def tiles_across(self) -> int:
        return (self.size.width_px + 15) // 16

    @property
    def tiles_down(self) -> int:
        return (self.size.height_px + 15) // 16


def _middle(model: AvatarModel) -> float:
    """The face's middle at rest, in canvas widths from the left."""
    camera = model.surface.head_to_camera.astype(np.float64)
    face = model.surface.vertices[:_FACE_VERTICES].astype(np.float64)
    x, _, z = (face @ camera[:, :3].T + camera[:, 3]).T
    across = model.focal * x / z + 0.5
    return float((across.min() + across.max()) / 2)
