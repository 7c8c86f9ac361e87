"""FLAME coefficients over time, under the names that trackers and talking-head systems give them.

Accepted arrays, T frames each (or one frame of shape, for all):

| what | names | shape |
| --- | --- | --- |
| expression | `exp`, `expr`, `expression`, `expression_params` | (T, 1..100) |
| head rotation and jaw | `pose`, `pose_params` | (T, 6): head, then jaw |
| jaw alone | `jaw`, `jaw_pose`, `jaw_params` | (T, 3), or (T, 1): opening alone |
| head rotation alone | `rotation`, `global_pose`, `global_orient`, `head_pose` | (T, 3) |
| identity | `shape`, `shape_params`, `betas` | (N,) or (T, N), N up to 300 |
| frame rate | `fps` | () |

Rotations are axis-angle vectors in radians. An array (T, 106) without names is ARTalk's motion:
100 expressions, head rotation, jaw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.face.motion import Floats

__all__ = ["ARTALK_WIDTH", "FlameSequence", "flame_frames"]

ARTALK_WIDTH = 106
_NAMES = {
    "expression": ("exp", "expr", "expression", "expression_params"),
    "pose": ("pose", "pose_params"),
    "jaw": ("jaw", "jaw_pose", "jaw_params"),
    "rotation": ("rotation", "global_pose", "global_orient", "head_pose"),
    "identity": ("shape", "shape_params", "betas"),
}
_MOST_EXPRESSIONS, _MOST_IDENTITY = 100, 300


@dataclass(frozen=True, slots=True)
class FlameSequence:
    """One take."""

    expression: Floats  # [T, E]
    rotation: Floats  # [T, 3] of the head
    jaw: Floats  # [T, 3]
    identity: Floats | None  # [N]

    def __len__(self) -> int:
        return len(self.expression)

    @property
    def motion(self) -> Floats:
        """As `MotionSpace.flame` orders it. `# [T, E + 6]`"""
        return np.concatenate([self.expression, self.rotation, self.jaw], axis=1)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], name: str) -> FlameSequence:
        """From named arrays.

        Raises:
            BadInput: expression or jaw is missing, or shapes disagree.
        """
        frames = flame_frames({key: np.shape(value) for key, value in arrays.items()}, name)
        expression = _table(arrays, "expression")
        pose = _table(arrays, "pose")
        rotation = _table(arrays, "rotation") if pose is None else pose[:, :3]
        jaw = _table(arrays, "jaw") if pose is None else pose[:, 3:]
        assert expression is not None
        assert jaw is not None
        if jaw.shape[1] == 1:
            jaw = np.pad(jaw, ((0, 0), (0, 2)))
        if rotation is None:
            rotation = np.zeros((frames, 3), np.float32)
        identity = _table(arrays, "identity")
        if identity is not None and identity.ndim == 2:
            identity = identity[0]
        return cls(expression, rotation, jaw, identity)

    @classmethod
    def from_artalk(cls, motion: NDArray[Any], name: str) -> FlameSequence:
        """From ARTalk's array `# [T, 106]`.

        Raises:
            BadInput: it has another shape.
        """
        if motion.ndim != 2 or motion.shape[1] != ARTALK_WIDTH:
            raise BadInput(
                f"{name} has shape {motion.shape}; (frames, 106) was expected: 100 expressions, "
                "head rotation, jaw."
            )
        table = np.asarray(motion, np.float32)
        return cls(table[:, :100], table[:, 100:103], table[:, 103:], None)


def flame_frames(shapes: Mapping[str, tuple[int, ...]], name: str) -> int:
    """The number of frames, once all arrays of a take fit each other.

    Raises:
        BadInput: expression or jaw is missing, or shapes disagree.
    """
    expression = _shape(shapes, "expression")
    if expression is None or len(expression) != 2 or not 1 <= expression[1] <= _MOST_EXPRESSIONS:
        raise BadInput(
            f"{name} has expression coefficients of shape {expression}; (frames, 1..100) under "
            f"one of the names {', '.join(_NAMES['expression'])} was expected."
        )
    frames = expression[0]
    pose, jaw, rotation = (_shape(shapes, what) for what in ("pose", "jaw", "rotation"))
    if pose is None and jaw is None:
        raise BadInput(
            f"{name} has no jaw: pose (frames, 6) or jaw_pose (frames, 3) was expected beside "
            f"{', '.join(sorted(shapes))}."
        )
    for what, shape, widths in (
        ("pose", pose, (6,)),
        ("jaw", jaw if pose is None else None, (1, 3)),
        ("rotation", rotation if pose is None else None, (3,)),
    ):
        if shape is not None and shape not in {(frames, width) for width in widths}:
            raise BadInput(
                f"{name} has {what} of shape {shape}; ({frames}, {widths[-1]}) was expected."
            )
    identity = _shape(shapes, "identity")
    if identity is not None and not (
        len(identity) in (1, 2) and 0 < identity[-1] <= _MOST_IDENTITY and identity[0] > 0
    ):
        raise BadInput(f"{name} has shape coefficients {identity}; (frames, 1..300) was expected.")
    return frames


def _shape(shapes: Mapping[str, tuple[int, ...]], what: str) -> tuple[int, ...] | None:
    return next((tuple(shapes[key]) for key in _NAMES[what] if key in shapes), None)


def _table(arrays: Mapping[str, NDArray[Any]], what: str) -> Floats | None:
    key = next((key for key in _NAMES[what] if key in arrays), None)
    return None if key is None else np.asarray(arrays[key], np.float32)
