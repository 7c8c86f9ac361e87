"""How a person's own expressions differ from the rig's, learned from what tracking leaves over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.video.expressions import expressed_points
from lipstream.avatar.video.poses import HeadPath
from lipstream.face.arkit import INDEX
from lipstream.face.landmarks import FACE_OVAL, MESH_COUNT
from lipstream.face.parts import smoothstep
from lipstream.face.personal import PersonalShapes
from lipstream.face.rig import Rig

__all__ = ["learn_habits"]

Doubles = NDArray[np.float64]

_LEARNED = (
    *("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthStretch", "mouthSmile"),
    *("mouthRollLower", "mouthRollUpper", "mouthUpperUp", "mouthLowerDown", "mouthShrugLower"),
    *("browInnerUp", "browOuterUp", "browDown"),
)
_RIDGE = 0.3
"""Frames' worth of belief in the rig."""
_MIDDLE_MM = 8.0
"""Halves of a face go over into each other across this much on either side of its middle."""
_MOST_MM = 6.0


def learn_habits(
    rig: Rig,
    path: HeadPath,
    landmarks: Doubles,  # [T, 468+, 2+] canvas pixels
    blendshapes: NDArray[np.float32],  # [T, 52]
    *,
    shapes: bool,
) -> PersonalShapes:
    """Regress what is left of the landmarks on the weights of the shapes.

    Args:
        shapes: false to learn the face at rest alone.
    """
    posed = expressed_points(rig, blendshapes)
    camera = path.camera(posed)
    error_px = landmarks[:, :MESH_COUNT, :2] - path.pixels(posed)
    scale = camera[..., 2:] / (rig.frame.focal * CANVAS_PX)
    error = path.back(np.concatenate([error_px * scale, np.zeros_like(scale)], -1))

    columns = [np.ones(len(blendshapes))]
    if shapes:
        columns += [blendshapes[:, _sides(name)].mean(1).astype(float) for name in _LEARNED]
    design = np.stack(columns, 1)  # [T, 1 + K]
    normal = design.T @ design + _RIDGE * np.eye(design.shape[1])
    flat = np.linalg.solve(normal, design.T @ error.reshape(len(error), -1))
    fields = flat.reshape(-1, MESH_COUNT, 3).clip(-_MOST_MM, _MOST_MM) * _free()[:, None]

    across = rig.face.neutral[:, 0] - rig.face.neutral[[13, 14], 0].mean()
    left = smoothstep(-_MIDDLE_MM, _MIDDLE_MM, across)[:, None]
    learned = {}
    for name, field in zip(_LEARNED, fields[1:], strict=False):
        if name in INDEX:
            learned[name] = field
        else:
            learned |= {f"{name}Left": field * left, f"{name}Right": field * (1 - left)}
    return PersonalShapes(fields[0], learned)


def _sides(name: str) -> list[int]:
    return [INDEX[name]] if name in INDEX else [INDEX[f"{name}Left"], INDEX[f"{name}Right"]]


def _free() -> Doubles:  # [468]
    """Everything but the outline above the jaw, on which hair and ears hang."""
    free = np.ones(MESH_COUNT)
    jaw = set(FACE_OVAL[11:26])
    free[[index for index in FACE_OVAL if index not in jaw]] = 0
    return free
