"""A head of FLAME's format and of nobody: an ellipsoid with five joints and random fields."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipstream.render.geometry import Doubles
from tests.unit.render.synthetic import synthetic_avatar

__all__ = ["EXPRESSIONS", "FlameLike", "write_gaussians"]

EXPRESSIONS = 10
_COLUMNS = (
    *("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "f_rest_0", "opacity"),
    *("scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3", "binding_0"),
)


@dataclass(frozen=True)
class FlameLike:
    arrays: dict[str, NDArray[Any]]

    @classmethod
    def make(cls, seed: int = 0) -> FlameLike:
        rng = np.random.default_rng(seed)
        surface = synthetic_avatar(splats=10, rings=16).surface
        vertices = surface.vertices * np.array([1e-3, -1e-3, -1e-3])
        _, y, z = vertices.T
        joints = np.array(
            [
                [0, -0.1, 0],
                [0, -0.06, -0.02],
                [0, -0.02, 0],
                [0.03, 0.03, 0.08],
                [-0.03, 0.03, 0.08],
            ]
        )
        regressor = np.stack(
            [np.exp(-((vertices - joint) ** 2).sum(1) / 0.03**2) for joint in joints]
        )
        weights = np.zeros((len(vertices), 5))
        weights[:, 0] = np.clip((-0.07 - y) / 0.02, 0, 1)
        weights[:, 2] = np.clip((-0.02 - y) / 0.03, 0, 1) * np.clip(z / 0.04, 0, 1)
        weights[:, 2] *= 1 - weights[:, 0]
        for eye in (3, 4):
            weights[:, eye] = np.exp(-((vertices - joints[eye]) ** 2).sum(1) / 0.012**2)
        weights[:, 1] = 1 - weights.sum(1)
        waves = np.sin(
            np.einsum("vd,dks->vks", vertices, rng.normal(0, 30, (3, 3, 300 + EXPRESSIONS)))
        )
        return cls(
            {
                "v_template": vertices,
                "f": surface.triangles.astype(np.uint32),
                "shapedirs": 1e-3 * waves,
                "posedirs": 1e-4 * rng.normal(size=(len(vertices), 3, 36)),
                "J_regressor": regressor / regressor.sum(1, keepdims=True),
                "weights": weights,
            }
        )

    def save(self, path: Path, **changed: NDArray[Any]) -> Path:
        np.savez(path, **{**self.arrays, **changed})
        return path


def write_gaussians(path: Path, face_count: int, count: int = 3000, seed: int = 0) -> Doubles:
    """A `point_cloud.ply` of bound Gaussians; its table, in the order of the columns."""
    rng = np.random.default_rng(seed)
    table = np.zeros((count, len(_COLUMNS)), np.float32)
    table[:, 0:3] = rng.normal(0, 0.2, (count, 3))
    table[:, 6:9] = rng.uniform(-1, 1, (count, 3))
    table[:, 10] = 2.0
    table[:, 11:14] = np.log(rng.uniform(0.2, 0.6, (count, 3)))
    table[:, 13] = -9  # flat, so that nothing is lost on the way
    table[:, 14:18] = rng.normal(size=(count, 4))
    table[:, 18] = rng.integers(0, face_count, count)
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {count}"]
    header += [f"property float {name}" for name in _COLUMNS] + ["end_header\n"]
    path.write_bytes("\n".join(header).encode() + table.astype("<f4").tobytes())
    return table.astype(np.float64)
