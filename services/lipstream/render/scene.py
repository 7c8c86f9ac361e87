"""An avatar laid out for drawing in one view: packed once, shared by the renderers of all threads.

Arrays are copied to one layout (contiguous, writable, float32 or int32): the kernels are compiled
for that layout alone, and an array of another would cost a compilation in the middle of a frame.
Gaussians are put in the order of the tiles in which they are at rest: what a frame takes together
then lies together, wherever the head is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from lipstream.errors import BadInput
from lipstream.face.follow import MOST_MM, torso_shift
from lipstream.face.model import AvatarModel, Ints, Surface
from lipstream.face.motion import Floats
from lipstream.render.background import Background, PhotoBackground
from lipstream.render.color import TO_YUV
from lipstream.render.geometry import ShapeColumns, shapes_by_name
from lipstream.render.kernels.vector import LANES
from lipstream.render.plate import Cutout, Plate
from lipstream.render.pose import Pose
from lipstream.render.splats import ALPHA_MAX, STATIC_WIDTH, TILE_PX, low_pass_px2
from lipstream.render.torso import ShiftPx, Torso
from lipstream.render.view import View, on_canvas
from lipstream.wire.output import PictureSize

__all__ = ["Scene"]

_STEP_PX = 0.25


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything about one avatar in one view that no frame changes.

    Attributes:
        plate: of every frame, unless the background moves.
    """

    model: AvatarModel
    view: View
    background: Background
    cutout: Cutout
    plate: Plate
    vertices: Floats  # [V, 3] mm, head frame
    shapes: ShapeColumns
    head_weights: Floats  # [V]
    torso: Torso | None  # what of the plate goes along with the head; None: not known
    triangles: Ints  # [F, 3]
    order: Ints  # [N] the model's number of each Gaussian
    corners: Ints  # [3, N and a few] vertices of each Gaussian's triangle
    static: Floats  # [9, N and a few] see `splats.projection`
    colors: Floats  # [N, 3] sRGB, without colour shapes
    tint_offsets: Ints  # [J + 1]
    tint_ids: Ints  # [E] Gaussian of each entry
    tint_vectors: Floats  # [E, 3] sRGB at weight 1
    yuv_colors: Floats  # [N, 3] the same colours as a plate's Y, U, V, from black
    yuv_tint_vectors: Floats  # [E, 3]
    focal_px: np.float32
    neck_mm: float  # from the camera
    low_pass: np.float32  # px^2
    cull_cosine: np.float32

    @classmethod
    def of(
        cls,
        model: AvatarModel,
        size_px: int | PictureSize,
        background: Background | None = None,
    ) -> Scene:
        """Pack a model.

        Args:
            size_px: side of a square picture, or its width and height.
            background: the photo's own by default.

        Raises:
            BadInput: the size is not even or out of range, the model contradicts itself, or does
                not know its person from its background.
        """
        background = background if background is not None else PhotoBackground()
        surface, gaussians = model.surface, model.gaussians
        _check(model)
        view = View.of(model, size_px)
        cutout = Cutout(model, view)
        plate = background.plate(cutout)
        torso = None
        if model.torso is not None:
            behind = background.behind(cutout)
            reach_px = MOST_MM * model.focal * view.canvas_px / _neck_mm(surface)
            torso = Torso(
                cutout, view, plate, None if behind is None else Plate.of(behind), reach_px
            )
        opacities = np.clip(gaussians.opacities.astype(np.float64), 1e-9, ALPHA_MAX)
        count = len(opacities)
        static = np.zeros((STATIC_WIDTH, -(-count // LANES) * LANES), np.float32)
        order = _by_tile(model, view)
        barycentric = gaussians.barycentric[order]
        static[0, :count] = barycentric.sum(axis=1)
        static[1:3, :count] = barycentric[:, 1:].T
        static[3:7, :count] = gaussians.axes[order].reshape(-1, 4).T
        static[7, :count] = np.log(opacities[order])
        static[8, :count] = gaussians.depth_bias[order]
        corners = np.zeros((3, static.shape[1]), np.int32)
        corners[:, :count] = surface.triangles[gaussians.triangle_ids[order]].T
        places = np.empty(count, np.int32)
        places[order] = np.arange(count)
        colors = _packed(gaussians.colors[order], np.float32)
        return cls(
            model=model,
            view=view,
            background=background,
            cutout=cutout,
            plate=plate,
            vertices=_packed(surface.vertices, np.float32),
            shapes=shapes_by_name(surface.shapes),
            head_weights=_packed(surface.head_weights, np.float32),
            torso=torso,
            triangles=_packed(surface.triangles, np.int32),
            order=order,
            corners=corners,
            static=static,
            colors=colors,
            tint_offsets=_packed(model.color_shapes.offsets, np.int32),
            tint_ids=places[model.color_shapes.ids],
            tint_vectors=_packed(model.color_shapes.vectors, np.float32),
            yuv_colors=_packed(colors @ TO_YUV.T, np.float32),
            yuv_tint_vectors=_packed(model.color_shapes.vectors @ TO_YUV.T, np.float32),
            focal_px=np.float32(model.focal * view.canvas_px),
            neck_mm=_neck_mm(surface),
            low_pass=low_pass_px2(view.canvas_px),
            cull_cosine=np.float32(model.cull_cosine),
        )

    @property
    def size(self) -> PictureSize:
        return self.view.size

    def torso_shift(self, pose: Pose) -> Floats:  # [2] mm, to the person's left and up
        """Where the torso is. One that is not known from the background stays."""
        if self.torso is None:
            return np.zeros(2, np.float32)
        return torso_shift(pose.rotation, pose.translation)

    def on_picture(self, shift: Floats) -> ShiftPx:  # [2] mm
        """The same in pixels, where the neck is; in steps too small to be seen, so that a torso
        that hardly moves is not drawn anew for every frame."""
        x, y, _ = self.model.surface.head_to_camera[:, :2] @ (shift * np.array([1, -1]))
        px_per_mm = float(self.focal_px) / self.neck_mm
        return _stepped(float(x) * px_per_mm), _stepped(float(y) * px_per_mm)


def _stepped(shift_px: float) -> float:
    return round(shift_px / _STEP_PX) * _STEP_PX


def _by_tile(model: AvatarModel, view: View) -> Ints:  # [N]
    """The Gaussians' numbers, row by row of tiles at rest."""
    gaussians, surface = model.gaussians, model.surface
    corners = surface.vertices[surface.triangles[gaussians.triangle_ids]]  # [N, 3, 3]
    centres = np.einsum("nk,nkd->nd", gaussians.barycentric, corners)
    tiles = np.clip(on_canvas(model, centres) * view.canvas_px / TILE_PX, -1e3, 1e3)
    column, row = np.floor(np.nan_to_num(tiles)).astype(np.int32).T
    order: Ints = np.lexsort((column, row)).astype(np.int32)
    return order


def _neck_mm(surface: Surface) -> float:
    depths = surface.vertices @ surface.head_to_camera[2, :3] + surface.head_to_camera[2, 3]
    neck = surface.head_weights < 0.5
    return float(np.mean(depths[neck] if neck.any() else depths))


def _packed(array: ArrayLike, dtype: DTypeLike) -> NDArray[Any]:
    return np.array(array, dtype, order="C", copy=True)


def _check(model: AvatarModel) -> None:
    """The kernels do not check bounds, so an index out of range must not reach them."""
    surface, gaussians, tints = model.surface, model.gaussians, model.color_shapes
    vertex_count, splat_count = len(surface.vertices), len(gaussians.triangle_ids)
    ids = gaussians.triangle_ids
    consistent = (
        vertex_count > 0
        and _within(surface.triangles, vertex_count)
        and _within(ids, len(surface.triangles))
        and bool((np.diff(ids) >= 0).all())
        and _within(surface.shapes.ids, len(surface.shapes.names))
        and _rows(surface.shapes.offsets, vertex_count, len(surface.shapes.vectors))
        and len(surface.shapes.ids) == len(surface.shapes.vectors)
        and len(surface.head_weights) == vertex_count
        and all(
            len(array) == splat_count
            for array in (
                gaussians.barycentric,
                gaussians.axes,
                gaussians.opacities,
                gaussians.colors,
                gaussians.depth_bias,
            )
        )
        and _within(tints.ids, splat_count)
        and _rows(tints.offsets, len(tints.names), len(tints.vectors))
        and len(tints.ids) == len(tints.vectors)
        and model.plate.ndim == 3
        and model.plate.shape[0] == model.plate.shape[1]
        and (model.torso is None or model.torso.shape == model.plate.shape[:2])
    )
    if not consistent:
        raise BadInput(
            "The avatar's arrays contradict each other.", remedy="Create the avatar again."
        )


def _within(indices: NDArray[Any], count: int) -> bool:
    return indices.size == 0 or bool(indices.min() >= 0 and indices.max() < count)


def _rows(offsets: Ints, rows: int, entries: int) -> bool:
    return (
        len(offsets) == rows + 1
        and int(offsets[0]) == 0
        and int(offsets[-1]) == entries
        and bool((np.diff(offsets) >= 0).all())
    )
