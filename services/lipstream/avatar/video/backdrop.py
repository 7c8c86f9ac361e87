"""What the splats of one pose stand before, as a linear map of the plate: the torso is where the
renderer shifts it (`lipstream.render.torso`), the background stays."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lipstream.face.motion import Floats
from lipstream.render import Pose
from lipstream.render.scene import Scene

__all__ = ["Backdrop"]


class Backdrop:
    """The map of one pose. Where an avatar does not know its torso, the plate is what is seen."""

    def __init__(self, scene: Scene, pose: Pose) -> None:
        size = scene.size.width_px
        torso = scene.torso
        shares = np.zeros(size, np.float32) if torso is None else torso.shares
        self._shift = scene.on_picture(scene.torso_shift(pose))
        self._shares = shares
        self._alpha = np.zeros((size, size), np.float32) if torso is None else torso.alpha
        self._covered = self._moved(self._alpha)
        self._behind = 0 if torso is None else torso.colors.behind / np.float32(255)

    def draw(self, plate: Floats) -> Floats:
        """What is seen of a plate `# [S, S, 3]`, 0..1."""
        behind = np.where(self._person, self._behind, plate)
        front = plate - (1 - self._alpha[..., None]) * behind
        seen = self._moved(front) + (1 - self._covered[..., None]) * behind
        return np.asarray(seen, np.float32)

    def gather(self, seen: Floats) -> Floats:
        """Bring what belongs to a picture `# [S, S, 3]` or `# [S, S]` to its place in the plate.

        The transpose of `draw`, but that the torso's pixels are interpolated on their way back.
        """
        covered = self._covered.reshape(self._covered.shape + (1,) * (seen.ndim - 2))
        person = self._alpha.reshape(covered.shape) > 0
        return np.where(person, self._moved(seen, back=True), (1 - covered) * seen)

    @property
    def _person(self) -> NDArray[np.bool_]:  # [S, S, 1]
        return self._alpha[..., None] > 0

    def _moved(self, picture: Floats, *, back: bool = False) -> Floats:
        dx, dy = self._shift
        if dx == dy == 0:
            return picture
        size = len(picture)
        way = self._shares if back else -self._shares
        x = np.arange(size, dtype=np.float32) + way * np.float32(dx)
        columns = np.ascontiguousarray(np.broadcast_to(x, (size, size)))
        rows = np.arange(size, dtype=np.float32)[:, None] + (way * np.float32(dy))[None]
        moved = cv2.remap(
            np.ascontiguousarray(picture, np.float32),
            columns,
            rows,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(moved, np.float32)
