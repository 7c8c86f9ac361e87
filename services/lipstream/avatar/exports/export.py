"""From an avatar's bundle to a file for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import numpy as np

from lipstream.avatar.exports.cloud import bake_cloud
from lipstream.avatar.exports.gltf import pack_gltf
from lipstream.avatar.exports.head_mesh import bake_mesh
from lipstream.avatar.exports.ply import pack_ply
from lipstream.avatar.exports.provenance import provenance
from lipstream.avatar.exports.splats import pack_splats
from lipstream.errors import BadInput
from lipstream.face.arkit import BLENDSHAPE_COUNT
from lipstream.face.bundle import load, read_manifest
from lipstream.face.drive import shape_weights
from lipstream.face.model import SPLATS
from lipstream.face.motion import Motion
from lipstream.render import Pose

__all__ = ["ExportFormat", "export_avatar"]


class ExportFormat(StrEnum):
    """What an avatar can be written as; the value is the file's ending."""

    PLY = "ply"
    """Gaussians of one pose, for splat viewers."""
    GLB = "glb"
    """A mesh with ARKit's morph targets, for everything that reads glTF 2.0."""
    SPLATS = "splats"
    """Rig, Gaussians and pictures, for a renderer in the browser: docs/splats.md."""


def export_avatar(
    path: Path, form: ExportFormat, motion: Motion | None = None, frame: int = 0
) -> bytes:
    """The file.

    Args:
        path: the avatar's bundle.
        motion: what the face does; at rest without it. A .ply shows one frame of it, a .glb has
            the whole as an animation, a .splats takes none.
        frame: of the motion, for a .ply.

    Raises:
        BadInput: the motion has no such frame, or is not for this format, or the avatar is not
            of splats.
        TooLarge, BadInput, NotFound: as `face.bundle.load`.
    """
    renderer = read_manifest(path).renderer
    if renderer != SPLATS:
        raise BadInput(
            f"An avatar for the renderer {ascii(renderer)[:40]} cannot be written as .{form}.",
            remedy="Export one that is made of splats.",
            code="not_exportable",
        )
    if motion is not None and not 0 <= frame < len(motion):
        raise BadInput(
            f"There is no frame {frame} in a motion of {len(motion)} frames.",
            remedy="Frames count from 0.",
        )
    if motion is not None and form is ExportFormat.SPLATS:
        raise BadInput(
            "A .splats moves by the motion that its renderer is given.",
            remedy="Export it without a motion.",
        )
    bundle = load(path)
    model, facts = bundle.model, provenance(bundle.manifest)
    if form is ExportFormat.PLY:
        shown = motion if motion is not None else Motion.rest(1)
        pose = Pose(
            shape_weights(model, shown.blendshapes[frame], shown.gaze[frame]),
            shown.rotation[frame],
            shown.translation[frame],
        )
        return pack_ply(bake_cloud(model, pose), facts)
    if form is ExportFormat.SPLATS:
        return pack_splats(model, facts)
    weights = None
    if motion is not None:
        frames = zip(motion.blendshapes, motion.gaze, strict=True)
        driven = [shape_weights(model, blendshapes, gaze) for blendshapes, gaze in frames]
        weights = np.stack(driven)[:, :BLENDSHAPE_COUNT]
    return pack_gltf(bake_mesh(model), motion, weights, facts)
