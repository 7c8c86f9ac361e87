"""From landmarks in a picture to millimetres in the head's own frame, and back to the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lipstream.face.landmarks import (
    CHIN,
    EYES,
    FOREHEAD,
    MESH_COUNT,
    NOSE_BRIDGE,
    SYMMETRIC_PAIRS,
)

if TYPE_CHECKING:
    from lipstream.face.cage import Points

__all__ = ["EYE_DISTANCE_MM", "FOCAL", "HeadFrame", "frame_landmarks"]

FOCAL = 3.0
"""Focal length of the assumed camera, in picture widths: a portrait lens."""
EYE_DISTANCE_MM = 63.0
"""Mean distance of the eyes' centres in adults: gives a photo its scale."""


@dataclass(frozen=True, slots=True)
class HeadFrame:
    """Where the head is in front of the camera."""

    rotation: NDArray[np.float64]  # [3, 3] rows: the head's axes in camera coordinates
    origin: NDArray[np.float64]  # [3] mm, the bridge of the nose in camera coordinates
    focal: float = FOCAL  # picture widths

    def to_head(self, camera: Points) -> Points:
        return (camera - self.origin) @ self.rotation.T

    def to_camera(self, head: Points) -> Points:
        return head @ self.rotation + self.origin

    @property
    def head_to_camera(self) -> NDArray[np.float32]:  # [3, 4]
        return np.concatenate([self.rotation.T, self.origin[:, None]], 1).astype(np.float32)

    def project(self, head: Points, size_px: float) -> NDArray[np.float64]:  # [..., 2] pixels
        """Pixel positions in a square picture of that size."""
        camera = self.to_camera(head)
        return (self.focal * camera[..., :2] / camera[..., 2:] + 0.5) * size_px

    def unproject(
        self, pixels: NDArray[np.float64], depth_mm: NDArray[np.float64], size_px: float
    ) -> Points:
        """Head-frame points under pixels `# [..., 2]` at camera depths `# [...]`."""
        rays = (pixels / size_px - 0.5) / self.focal
        camera = np.concatenate([rays * depth_mm[..., None], depth_mm[..., None]], -1)
        return self.to_head(camera)


def frame_landmarks(
    landmarks_px: NDArray[np.float64], size_px: int
) -> tuple[HeadFrame, Points]:  # [478, 3]
    """The head's frame, and the landmarks in it.

    Args:
        landmarks_px: `# [478, 3]` x, y and z in pixels of a square picture of `size_px`.
    """
    focal_px = FOCAL * size_px
    depth = focal_px + landmarks_px[:, 2] - landmarks_px[:MESH_COUNT, 2].mean()
    offset = (landmarks_px[:, :2] - size_px / 2) * (depth / focal_px)[:, None]
    camera_px = np.concatenate([offset, depth[:, None]], 1)

    left, right = (
        camera_px[list(EYES[side].upper + EYES[side].lower)].mean(0) for side in ("Left", "Right")
    )
    camera = camera_px * (EYE_DISTANCE_MM / np.linalg.norm(left - right))
    frame = HeadFrame(_axes(camera), camera[NOSE_BRIDGE].copy())
    return frame, frame.to_head(camera)


def _axes(camera: Points) -> NDArray[np.float64]:  # [3, 3]
    across = np.array([camera[left] - camera[right] for right, left in SYMMETRIC_PAIRS])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    x = across.mean(0)
    x /= np.linalg.norm(x)
    y = camera[CHIN] - camera[FOREHEAD]
    y -= x * (x @ y)
    y /= np.linalg.norm(y)
    return np.stack([x, y, np.cross(x, y)])
