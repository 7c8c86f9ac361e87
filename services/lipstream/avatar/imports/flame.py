"""The FLAME head model, from the arrays that its licensees have.

Li et al. 2017, "Learning a model of facial shape and expression from 4D scans". Nothing of it is
in this repository. Metres; x to the person's left, y up, z out of the face.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from lipstream.avatar.imports.files import read_arrays
from lipstream.errors import BadInput

__all__ = ["JAW", "NECK", "FlameHead", "FlameModel"]

NECK, JAW = 1, 2
_EYES = (3, 4)
_JOINTS = 5
_IDENTITY = 300
_ARRAYS = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "weights")
_CONVERT = (
    "Convert flame2023.pkl yourself, where you trust it: load it with pickle (encoding='latin1') "
    f"and save {', '.join(_ARRAYS)} with numpy.savez, J_regressor as a dense array."
)

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FlameModel:
    """What is common to all heads."""

    template: Doubles  # [V, 3]
    faces: NDArray[np.int64]  # [F, 3]
    shapes: Doubles  # [V, 3, S] the first 300 are identity, the rest expression
    pose_shapes: Doubles  # [V, 3, 36] by the rotations of joints 1..4, less identity
    joints: Doubles  # [5, V] from vertices to joints: root, neck, jaw, two eyes
    weights: Doubles  # [V, 5]

    @classmethod
    def read(cls, path: Path) -> FlameModel:
        """
        Raises:
            NotFound: there is no such file.
            BadInput: it is no .npz of FLAME's arrays.
        """
        if path.suffix.lower() != ".npz":
            raise BadInput(
                f"{path.name} is not read: a pickle may run anything.",
                remedy=_CONVERT,
                code="unsafe_pickle",
            )
        arrays = read_arrays(path, _ARRAYS)
        if missing := sorted(set(_ARRAYS) - set(arrays)):
            raise BadInput(f"{path.name} lacks {', '.join(missing)}.", remedy=_CONVERT)
        template, faces, shapes, pose_shapes, joints, weights = (arrays[n] for n in _ARRAYS)
        count = len(template)
        fits = (
            template.shape == (count, 3)
            and faces.ndim == 2
            and faces.shape[1] == 3
            and faces.min(initial=0) >= 0
            and faces.max(initial=0) < count
            and shapes.ndim == 3
            and shapes.shape[:2] == (count, 3)
            and shapes.shape[2] > _IDENTITY
            and pose_shapes.shape == (count, 3, 9 * (_JOINTS - 1))
            and joints.shape == (_JOINTS, count)
            and weights.shape == (count, _JOINTS)
        )
        if not fits:
            raise BadInput(f"The arrays in {path.name} are not FLAME's.", remedy=_CONVERT)
        floats = (np.asarray(a, np.float64) for a in (shapes, pose_shapes, joints, weights))
        return cls(template.astype(np.float64), faces.astype(np.int64), *floats)

    def head(self, parameters: Mapping[str, NDArray[Any]]) -> FlameHead:
        """One person's head at rest.

        Args:
            parameters: `shape` `# [.., up to 300]` and `static_offset` `# [.., V, 3]` if there.

        Raises:
            BadInput: they do not fit the model.
        """
        identity = np.ravel(parameters.get("shape", np.zeros(0)))
        offset = np.squeeze(parameters.get("static_offset", np.zeros((1, 3))))
        if len(identity) > _IDENTITY or offset.shape not in ((3,), self.template.shape):
            raise BadInput(
                f"The parameters have {len(identity)} of shape and offsets {offset.shape}; the "
                f"FLAME model has at most {_IDENTITY} and {self.template.shape}.",
                remedy="Use the FLAME model that the avatar was trained with.",
            )
        vertices = self.template + self.shapes[:, :, : len(identity)] @ identity + offset
        return FlameHead(self, vertices, self.joints @ vertices)


@dataclass(frozen=True, slots=True)
class FlameHead:
    """One person, all joints at rest."""

    model: FlameModel
    vertices: Doubles  # [V, 3]
    joints: Doubles  # [5, 3]

    @property
    def eyes(self) -> tuple[int, int]:
        """The joints of the person's left and right eye."""
        first, second = _EYES
        return _EYES if self.joints[first, 0] > self.joints[second, 0] else (second, first)

    def turned(self, joint: int, rotation: tuple[float, float, float]) -> Doubles:  # [V, 3]
        """The vertices with jaw or eye turned by an axis-angle vector in radians."""
        turn = Rotation.from_rotvec(rotation).as_matrix()
        corrective = slice(9 * (joint - 1), 9 * joint)
        bent = self.vertices + self.model.pose_shapes[:, :, corrective] @ (turn - np.eye(3)).ravel()
        pivot = self.joints[joint]
        moved = (bent - pivot) @ turn.T + pivot
        result: Doubles = bent + self.model.weights[:, joint, None] * (moved - bent)
        return result

    def expressed(self, coefficients: Mapping[int, float]) -> Doubles:  # [V, 3]
        """The vertices with expression coefficients by their index from 0."""
        fields = self.model.shapes[:, :, _IDENTITY:]
        changed = (fields[:, :, index] * weight for index, weight in coefficients.items())
        return sum(changed, self.vertices)
