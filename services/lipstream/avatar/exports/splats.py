"""An avatar for a renderer in the browser: rig, Gaussians and pictures in one small file.

docs/splats.md is its specification; `gateway/studio/splat-bundle.js` reads it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.exports.packed_arrays import PackedArrays
from lipstream.face.bundle.pictures import pack_picture
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats
from lipstream.render.background import BlurredBackground
from lipstream.render.geometry import shapes_by_name
from lipstream.render.plate import Cutout
from lipstream.render.view import View as CanvasView
from lipstream.wire.output import MAX_SIZE_PX, MIN_SIZE_PX

__all__ = ["pack_splats"]

_MAGIC, _VERSION = b"LIPSPLAT", 1
# At 512 pixels a millimetre of a face is some 1.5 of them.
_VERTEX_MM = 0.005
_SHAPE_MM = 0.01
_DEPTH_MM = 0.01
_WEIGHT = 1 / 32767
_CORNER = 1 / 512
"""Of a triangle, which are 2 to 3 mm wide on a face."""
_TINT = 1 / 510


def pack_splats(model: AvatarModel, facts: Mapping[str, str]) -> bytes:
    """The file.

    Args:
        facts: where the avatar comes from.
    """
    arrays = _arrays(model)
    deflated, pictures = arrays.deflated(), _pictures(model)
    surface = model.surface
    header = {
        "provenance": dict(facts),
        "focal": float(model.focal),
        "cull_cosine": float(model.cull_cosine),
        "head_pivot": surface.head_pivot.tolist(),
        "head_to_camera": surface.head_to_camera.tolist(),
        "shapes": surface.shapes.names,
        "color_shapes": model.color_shapes.names,
        "arrays": arrays.directory,
        "deflated_bytes": len(deflated),
        "inflated_bytes": len(arrays),
        "pictures": [{"name": name, "bytes": len(data)} for name, data in pictures.items()],
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    head = _MAGIC + struct.pack("<II", _VERSION, len(text))
    return b"".join((head, text, deflated, *pictures.values()))


def _arrays(model: AvatarModel) -> PackedArrays:
    surface, gaussians, tints = model.surface, model.gaussians, model.color_shapes
    shapes = shapes_by_name(surface.shapes)
    first = np.searchsorted(gaussians.triangle_ids, np.arange(len(surface.triangles) + 1))
    arrays = PackedArrays()
    arrays.steps("vertices", surface.vertices, _VERTEX_MM)
    arrays.steps("head_weights", surface.head_weights, _WEIGHT)
    arrays.indices("triangles", surface.triangles)
    arrays.indices("shape_first", shapes.offsets)
    arrays.indices("shape_vertices", shapes.ids)
    arrays.steps("shape_vectors", shapes.vectors, _SHAPE_MM)
    arrays.indices("triangle_first", first)
    arrays.steps("corners", gaussians.barycentric[:, 1:], _CORNER)
    arrays.halves("axes", _lower(gaussians.axes))
    colors = np.concatenate([gaussians.colors, gaussians.opacities[:, None]], axis=1)
    arrays.shares("colors", colors)
    arrays.steps("depth_bias", gaussians.depth_bias, _DEPTH_MM)
    arrays.indices("tint_first", tints.offsets)
    arrays.indices("tint_splats", tints.ids)
    arrays.steps("tint_vectors", tints.vectors, _TINT)
    return arrays


def _lower(axes: Floats) -> NDArray[np.float64]:  # [N, 2, 2] -> [N, 3]
    """Other axes of the same covariance, one of which lies along the second edge: a triangular
    matrix, by its entries 00, 10, 11 (Cholesky)."""
    covariance = np.einsum("nij,nkj->nik", axes, axes, dtype=np.float64)
    first = np.sqrt(covariance[:, 0, 0])
    both = covariance[:, 0, 1] / np.maximum(first, 1e-12)
    second = np.sqrt(np.maximum(covariance[:, 1, 1] - both**2, 0))
    return np.stack([first, both, second], axis=1)


def _pictures(model: AvatarModel) -> dict[str, bytes]:
    """What stands behind the splats, as PNG by name: all that the person is cut out for, too."""
    side = model.plate.shape[0]
    side_px = min(max(side + side % 2, MIN_SIZE_PX), MAX_SIZE_PX)
    cutout = Cutout(model, CanvasView.of(model, side_px))
    pictures = {"photo": cutout.photo}
    if model.torso is not None:
        pictures["person"] = np.dstack([cutout.person, cutout.alpha])
        pictures["blur"] = BlurredBackground().plate(cutout).rgb
    return {name: pack_picture(picture) for name, picture in pictures.items()}
