"""Which part of an avatar's square canvas a picture shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from lipstream.face.model import AvatarModel
from lipstream.render.geometry import Doubles
from lipstream.wire.output import PictureSize

__all__ = ["View", "on_canvas"]

_FACE_VERTICES = 468
_FILL = 0.92
"""The widest share of an upright picture that the head takes, hair and hat with it."""
_CUT = 0.01
"""Of the canvas: a head that comes as near to its top is cut off there in the photo."""
_SOLID = 0.5


@dataclass(frozen=True, slots=True)
class View:
    """The canvas, scaled and placed in the picture.

    A square picture is the canvas. An upright one is as high as the canvas, or somewhat higher
    where the head would be too wide for it, and has the face in its middle. What it shows beyond
    the canvas is made up by `plate.Cutout`.
    """

    size: PictureSize
    canvas_px: int  # side of the whole canvas, in pixels of the picture
    left_px: int  # where the canvas begins in the picture; negative: cut off
    top_px: int

    @classmethod
    def of(cls, model: AvatarModel, size: int | PictureSize) -> Self:
        size = PictureSize.of(size)
        width, height = size.width_px, size.height_px
        if width == height:
            return cls(size, height, 0, 0)
        x, _ = on_canvas(model, model.surface.vertices[:_FACE_VERTICES]).T
        middle = (x.min() + x.max()) / 2
        x, y = _head(model).T
        scale = 1.0
        if len(x) and y.min() > _CUT:
            widest = 2 * float(np.abs(x - middle).max())
            scale = float(np.clip(_FILL * width / height / widest, width / height, 1))
        side = round(scale * height)
        return cls(size, side, round(width / 2 - middle * side), height - side)

    @property
    def centre_px(self) -> tuple[float, float]:
        """Where the camera's axis meets the picture: x, y."""
        return self.left_px + self.canvas_px / 2, self.top_px + self.canvas_px / 2

    @property
    def tiles_across(self) -> int:
        return (self.size.width_px + 15) // 16

    @property
    def tiles_down(self) -> int:
        return (self.size.height_px + 15) // 16


def _head(model: AvatarModel) -> Doubles:  # [n, 2] canvas widths
    """The solid Gaussians of what moves with the head, at rest."""
    surface, gaussians = model.surface, model.gaussians
    corners = surface.triangles[gaussians.triangle_ids]  # [N, 3]
    solid = gaussians.opacities > _SOLID
    solid &= surface.head_weights[corners].min(axis=1) > _SOLID
    weights = gaussians.barycentric[solid].astype(np.float64)
    return on_canvas(model, np.einsum("nk,nkd->nd", weights, surface.vertices[corners[solid]]))


def on_canvas(model: AvatarModel, points: np.ndarray) -> Doubles:  # type: ignore[type-arg]
    """Points [n, 3] of the head frame on the canvas [n, 2], in its widths."""
    camera = model.surface.head_to_camera.astype(np.float64)
    x, y, z = (points @ camera[:, :3].T + camera[:, 3]).T
    seen: Doubles = model.focal * np.stack([x / z, y / z], axis=1) + 0.5
    return seen
