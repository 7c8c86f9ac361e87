"""Colours of an avatar as a texture: every piece of its mesh, painted by its own Gaussians alone.

A piece is drawn at rest from the camera of the photo, with nothing before it, so that what the
lips and lids hide is there when they open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats
from lipstream.face.shape_names import MOUTH_SHADE
from lipstream.render import FaceDriver, Pose, SplatRenderer, reference

__all__ = ["Atlas", "bake_atlas", "mesh_pieces"]

_VIEW_PX = 768
"""Side of the picture that pieces are cut from; avatars are fitted to one of 512."""
_WIDTH_PX = 1024
_MARGIN_PX = 4
_OPAQUE = 0.9
_FACES_EVERYWHERE = -2.0
"""A cull cosine that nothing is under: a piece is painted where it faces away, too."""

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Atlas:
    """A texture and where each vertex lies in it."""

    pixels: NDArray[np.uint8]  # [H, 1024, 4] sRGB, straight alpha
    coordinates: Floats  # [V, 2] 0..1 from the left and from the top


def mesh_pieces(model: AvatarModel) -> Ints:  # [V]
    """For every vertex, the connected piece of the mesh that it belongs to."""
    a, b, c = model.surface.triangles.T
    rows, columns = np.concatenate([a, b]), np.concatenate([b, c])
    count = len(model.surface.vertices)
    edges = sparse.coo_matrix((np.ones(len(rows), np.int8), (rows, columns)), shape=(count, count))
    _, pieces = sparse.csgraph.connected_components(edges, directed=False)
    return np.asarray(pieces, np.int32)


def bake_atlas(model: AvatarModel, rest: Pose) -> Atlas:
    """Paint the texture.

    Args:
        rest: the pose whose vertices are the mesh.
    """
    pieces = mesh_pieces(model)
    of_gaussian = pieces[model.surface.triangles[model.gaussians.triangle_ids, 0]]
    camera = reference.camera_vertices(model, rest)
    view = _VIEW_PX * (model.focal * camera[:, :2] / camera[:, 2:] + 0.5)
    pose = replace(rest, color_weights=_lit(model, rest))
    coordinates = np.zeros((len(pieces), 2))
    tiles = []
    for piece in np.unique(of_gaussian):
        members = pieces == piece
        low = np.clip(np.floor(view[members].min(0)) - _MARGIN_PX, 0, _VIEW_PX).astype(int)
        high = np.clip(np.ceil(view[members].max(0)) + _MARGIN_PX, 0, _VIEW_PX).astype(int)
        if (high - low).min() > 0:
            picture = _paint(model, of_gaussian == piece, pose)
            tiles.append((members, low, picture[low[1] : high[1], low[0] : high[0]]))
    tiles.sort(key=lambda tile: -tile[2].shape[0])

    corners, height = _shelves([(len(tile), len(tile[0])) for _, _, tile in tiles])
    height = 1 << (height - 1).bit_length()  # powers of two are welcome everywhere
    pixels = np.zeros((height, _WIDTH_PX, 4), np.uint8)
    for (members, low, tile), (x, y) in zip(tiles, corners, strict=True):
        pixels[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
        inside = np.clip(view[members] - low, 0, tile.shape[1::-1])
        coordinates[members] = inside + np.array([x, y])
    return Atlas(pixels, (coordinates / (_WIDTH_PX, height)).astype(np.float32))


def _lit(model: AvatarModel, rest: Pose) -> Floats:  # [J]
    """Colour weights at rest, but with light in the mouth: a texture cannot be lit later."""
    camera = model.surface.head_to_camera.astype(np.float64)
    head = (reference.camera_vertices(model, rest) - camera[:, 3]) @ camera[:, :3]
    weights = FaceDriver().color_weights(model, rest.shape_weights, head.astype(np.float32))
    shaded = [name == MOUTH_SHADE for name in model.color_shapes.names]
    return np.where(shaded, 0, weights).astype(np.float32)


def _paint(model: AvatarModel, chosen: NDArray[np.bool_], pose: Pose) -> NDArray[np.uint8]:
    """The chosen Gaussians alone, their colours continued beyond their edge: [S, S, 4]."""
    opacities = model.gaussians.opacities
    alone = replace(
        model,
        gaussians=replace(model.gaussians, opacities=np.where(chosen, opacities, 0)),
        plate=np.zeros((_VIEW_PX, _VIEW_PX, 3), np.uint8),
        torso=None,
        cull_cosine=_FACES_EVERYWHERE,
    )
    drawn = SplatRenderer(alone, _VIEW_PX).premultiplied(pose)
    alpha = 1 - drawn[..., 3]
    solid = alpha > 0.5
    colors = drawn[..., :3] / np.maximum(alpha, 1e-6)[..., None]
    if solid.any():
        _, nearest = ndimage.distance_transform_edt(~solid, return_indices=True)
        colors = colors[tuple(nearest)]
    if opacities[chosen].min() > _OPAQUE:
        alpha = np.ones_like(alpha)  # its outline is the mesh's
    picture = np.concatenate([colors, alpha[..., None]], axis=-1)
    rounded: NDArray[np.uint8] = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return rounded


def _shelves(sizes: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], int]:
    """Left upper corners of tiles of falling height, in rows; and the height of all rows."""
    corners = []
    x = y = row = 0
    for height, width in sizes:
        if x + width > _WIDTH_PX:
            x, y, row = 0, y + row, 0
        corners.append((x, y))
        x, row = x + width, max(row, height)
    return corners, y + row
