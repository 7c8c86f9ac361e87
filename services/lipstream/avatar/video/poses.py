"""Where a head is in each frame, from the landmarks that speech does not move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.face.landmarks import EYES
from lipstream.face.rig import Rig
from lipstream.render.geometry import rotation_matrix

__all__ = ["HeadPath", "solve_poses"]

Doubles = NDArray[np.float64]

_RIGID = (
    *(
        EYES["Right"].upper[0],
        EYES["Right"].upper[-1],
        EYES["Left"].upper[0],
        EYES["Left"].upper[-1],
    ),
    *(168, 6, 197, 195, 5, 4, 1, 8, 9, 151, 10, 98, 327, 2),
    *(127, 356, 234, 454, 162, 389, 21, 251, 54, 284, 103, 332, 67, 297, 109, 338),
)
"""Corners of the eyes, the nose, the forehead and the temples."""
_AXES = np.array([1.0, -1.0, -1.0])
"""Motion counts up and towards the camera as positive, the rig down and away."""
_SMOOTHING_S = 0.04
_OUTLIER_PX = 2.0
"""Landmarks off by more count less."""


class HeadPath:
    """Rotations and translations of a head, as `Motion` has them, and what they do to points."""

    def __init__(self, rig: Rig, rotation: Doubles, translation: Doubles) -> None:  # [T, 3] each
        self.rotation, self.translation = rotation, translation
        self._rig = rig
        self.turns = np.array([rotation_matrix(angles) for angles in rotation])  # [T, 3, 3]

    def only(self, chosen: NDArray[np.bool_]) -> HeadPath:  # [T]
        """Some of the frames."""
        return HeadPath(self._rig, self.rotation[chosen], self.translation[chosen])

    def camera(self, points: Doubles) -> Doubles:  # [T or 1, P, 3] mm, head -> camera frame
        pivot = self._rig.head_pivot
        shift = self.translation * _AXES
        moved = np.einsum("tij,tpj->tpi", self.turns, points - pivot) + pivot + shift[:, None]
        return self._rig.frame.to_camera(moved)

    def pixels(self, points: Doubles) -> Doubles:  # [T or 1, P, 3] -> [T, P, 2]
        camera = self.camera(points)
        flat = self._rig.frame.focal * camera[..., :2] / camera[..., 2:]
        return np.asarray((flat + 0.5) * CANVAS_PX)

    def back(self, vectors: Doubles) -> Doubles:  # [T, P, 3] mm, camera -> head frame
        """Directions in the frame of the head that is being moved."""
        in_head = vectors @ self._rig.frame.rotation.T
        return np.asarray(np.einsum("tji,tpj->tpi", self.turns, in_head))


def solve_poses(
    rig: Rig,
    face: Doubles,  # [468, 3] mm, head frame
    landmarks: Doubles,  # [T, 468+, 2+] canvas pixels
    spacing_s: float,
) -> HeadPath:
    """Turn and move the face so that its rigid points fall on the landmarks."""
    from scipy.optimize import least_squares  # takes half a second, and no photo needs it

    rigid = list(_RIGID)
    points, seen = face[rigid], landmarks[:, rigid, :2]
    poses = np.zeros((len(seen), 6))
    start = np.zeros(6)
    for t, target in enumerate(seen):

        def error(pose: Doubles, target: Doubles = target) -> Doubles:
            path = HeadPath(rig, pose[None, :3] / 100, pose[None, 3:])
            return np.asarray((path.pixels(points[None])[0] - target).reshape(-1))

        start = least_squares(error, start, loss="soft_l1", f_scale=_OUTLIER_PX, max_nfev=20).x
        poses[t] = start
    smooth = gaussian_filter1d(poses, _SMOOTHING_S / spacing_s, axis=0, mode="nearest")
    return HeadPath(rig, smooth[:, :3] / 100, smooth[:, 3:])
