"""Gaussians bound to the faces of a FLAME head, as GaussianAvatars stores them.

Qian et al. 2024, "GaussianAvatars: Photorealistic Head Avatars with Rigged 3D Gaussians", section
3.2: each Gaussian lives in the frame of a triangle (first edge, normal, and what is across both;
origin in the middle; unit the mean of the first edge and the height over it).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from lipstream.avatar.imports.files import read_ply
from lipstream.avatar.imports.flame import Doubles
from lipstream.errors import BadInput

__all__ = ["BoundGaussians", "place_triads", "read_gaussians"]

_HARMONIC_0 = 0.28209479177387814
_BINDING = "binding_0"
_LEAST_OPACITY = 1 / 255


@dataclass(frozen=True, slots=True)
class BoundGaussians:
    """Gaussians in the frames of their faces."""

    faces: NDArray[np.int64]  # [N]
    triads: Doubles  # [N, 3, 3] rows: the centre, and centre plus each of the two longest axes
    opacities: Doubles  # [N] 0..1
    colors: Doubles  # [N, 3] sRGB, as seen from everywhere

    def __len__(self) -> int:
        return len(self.faces)

    def below(self, face_count: int) -> BoundGaussians:
        """Those on the first `face_count` faces that can be seen at all."""
        kept = (self.faces < face_count) & (self.opacities >= _LEAST_OPACITY)
        return BoundGaussians(
            self.faces[kept], self.triads[kept], self.opacities[kept], self.colors[kept]
        )


def read_gaussians(path: Path) -> BoundGaussians:
    """The Gaussians of a `point_cloud.ply` with a column `binding_0`.

    Raises:
        NotFound: there is no such file.
        BadInput: it is another kind of file, or holds values that cannot be.
        TooLarge: it is over 2 GB.
    """
    table = read_ply(path)
    names = (
        *("x", "y", "z", "opacity", _BINDING),
        *(f"{name}_{k}" for name in ("f_dc", "scale") for k in range(3)),
        *(f"rot_{k}" for k in range(4)),
    )
    if missing := [name for name in names if name not in table]:
        raise BadInput(
            f"{path.name} has no column {missing[0]}.",
            remedy="Give the point_cloud.ply of a GaussianAvatars model, which binds its Gaussians "
            "to faces.",
            code="not_gaussians",
        )
    columns = {name: table[name].astype(np.float64) for name in names}
    if not len(columns["x"]) or not all(np.isfinite(column).all() for column in columns.values()):
        raise BadInput(f"{path.name} holds no Gaussians, or values that are not finite.")
    faces = columns[_BINDING]
    quaternions = np.stack([columns[f"rot_{k}"] for k in range(4)], axis=1)
    if (faces < 0).any() or (faces != np.rint(faces)).any() or not quaternions.any(axis=1).all():
        raise BadInput(f"{path.name} holds faces or rotations that cannot be.")
    scales = np.exp(np.stack([columns[f"scale_{k}"] for k in range(3)], axis=1).clip(-30, 10))
    axes = Rotation.from_quat(quaternions, scalar_first=True).as_matrix() * scales[:, None]
    longest = np.argsort(-scales, axis=1)[:, None, :2]
    centres = np.stack([columns[axis] for axis in "xyz"], axis=1)
    ends = np.take_along_axis(axes, longest, axis=2).transpose(0, 2, 1)
    colors = 0.5 + _HARMONIC_0 * np.stack([columns[f"f_dc_{k}"] for k in range(3)], axis=1)
    return BoundGaussians(
        faces=faces.astype(np.int64),
        triads=centres[:, None] + np.concatenate([np.zeros_like(ends[:, :1]), ends], axis=1),
        opacities=1 / (1 + np.exp(-columns["opacity"].clip(-30, 30))),
        colors=colors.clip(0, 1),
    )


def place_triads(
    gaussians: BoundGaussians, vertices: Doubles, faces: NDArray[np.int64]
) -> Doubles:  # [N, 3, 3]
    """The triads where a head's vertices `# [V, 3]` put their faces `# [F, 3]`."""
    a, b, c = (vertices[faces[gaussians.faces, k]] for k in range(3))
    along = b - a
    length = np.linalg.norm(along, axis=1, keepdims=True)
    first = along / np.maximum(length, 1e-12)
    normal = np.cross(first, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    across = np.cross(first, normal)
    height = np.abs((across * (c - a)).sum(axis=1, keepdims=True))
    frame = np.stack([first, normal, across], axis=1) * ((length + height) / 2)[..., None]
    placed: Doubles = gaussians.triads @ frame + ((a + b + c) / 3)[:, None]
    return placed
