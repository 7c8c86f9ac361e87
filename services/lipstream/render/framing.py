"""A closer view of an avatar: the middle of its picture, or a part above or below it.

Nothing but the model changes: its focal length, its plate, and a shear of its camera, which moves
the picture without turning the head.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lipstream.face.face_controls import Framing
from lipstream.face.model import AvatarModel

__all__ = ["framed"]


def framed(model: AvatarModel, framing: Framing) -> AvatarModel:
    """The avatar, seen through this part of its picture."""
    if framing == Framing():
        return model
    # A point's place in the picture is focal * y / z: what is added to y in proportion to z moves
    # everything alike, whatever its depth.
    shear = np.eye(3)
    shear[1, 2] = -framing.offset / (model.focal * framing.zoom)
    camera = (shear @ model.surface.head_to_camera).astype(np.float32)
    return replace(
        model,
        surface=replace(model.surface, head_to_camera=camera),
        plate=_shown(model.plate, framing),
        torso=None if model.torso is None else _shown(model.torso, framing),
        focal=model.focal * framing.zoom,
    )


def _shown(plate: NDArray[np.uint8], framing: Framing) -> NDArray[np.uint8]:  # [P, P, ...] both
    height, width = plate.shape[:2]
    middle = 0.5 + framing.offset / framing.zoom
    half = 0.5 / framing.zoom
    box = (
        width * (0.5 - half),
        height * max(middle - half, 0.0),
        width * (0.5 + half),
        height * min(middle + half, 1.0),
    )
    picture = Image.fromarray(plate).resize((width, height), Image.Resampling.LANCZOS, box=box)
    return np.asarray(picture)
