"""Head poses made exact by the pictures: landmarks place a head to a degree and some millimetres.

Gauss and Newton's method on the difference between a frame and the avatar drawn in its pose. The
avatar is the one of the photo, so that nothing of frames that are held out goes into the fit.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lipstream.face.model import AvatarModel
from lipstream.face.motion import Motion
from lipstream.render import Pose, SplatRenderer

__all__ = ["align"]

Doubles = NDArray[np.float64]

_SIZE_PX = 256
_STEPS = 3
_UNITS = np.array([0.005, 0.005, 0.005, 0.3, 0.3, 1.0])
"""Radians and mm that change the picture about as much."""
_OUTLIER_LEVELS = 20.0
_BELIEF = 30.0
"""In the landmarks' pose: squared levels a unit, over the whole picture."""
_MOST_UNITS = 8.0
_THREADS = 2


def align(
    model: AvatarModel,
    motion: Motion,  # [T]
    canvases: NDArray[np.uint8],  # [T, 512, 512, 3]
    say: Callable[[float], None],
) -> Motion:
    """The motion with rotations and translations that bring the drawn head onto the filmed one."""
    first = SplatRenderer(model, _SIZE_PX)

    def solve(part: NDArray[np.int64]) -> list[Doubles]:
        renderer = first.sibling()
        return [
            _aligned(
                renderer,
                renderer.pose(motion, int(k)),
                cv2.resize(canvases[k], (_SIZE_PX, _SIZE_PX), interpolation=cv2.INTER_AREA),
            )
            for k in part
        ]

    batches = np.array_split(np.arange(len(motion)), max(1, len(motion) // 8))
    moved: list[Doubles] = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for solved in pool.map(solve, batches):
            moved += solved
            say(len(moved) / len(motion))
    change = np.array(moved) * _UNITS
    return replace(
        motion,
        rotation=(motion.rotation + change[:, :3]).astype(np.float32),
        translation=(motion.translation + change[:, 3:]).astype(np.float32),
    )


def _aligned(renderer: SplatRenderer, pose: Pose, target: NDArray[np.uint8]) -> Doubles:  # [6]
    """How far to move, in units."""

    def drawn(units: Doubles) -> Doubles:
        step = (units * _UNITS).astype(np.float32)
        moved = replace(
            pose, rotation=pose.rotation + step[:3], translation=pose.translation + step[3:]
        )
        return renderer.rgb(moved).astype(np.float64).reshape(-1)

    wanted = target.astype(np.float64).reshape(-1)
    units = np.zeros(6)
    for _ in range(_STEPS):
        now = drawn(units)
        slopes = np.stack([drawn(units + step) - now for step in np.eye(6)], 1)
        error = wanted - now
        trust = 1 / (1 + np.abs(error) / _OUTLIER_LEVELS)
        weighted = slopes.T * trust
        belief = _BELIEF * _SIZE_PX * np.eye(6)
        step = np.linalg.solve(weighted @ slopes + belief, weighted @ error - belief @ units)
        units = np.clip(units + step, -_MOST_UNITS, _MOST_UNITS)
    return units
