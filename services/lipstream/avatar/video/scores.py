"""How close an avatar comes to frames that it was not fitted to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.detector import FaceDetector
from lipstream.avatar.polygon import polygon_mask
from lipstream.face.head_frame import EYE_DISTANCE_MM
from lipstream.face.landmarks import EYES, FACE_OVAL, LOWER_LIP, MESH_COUNT, UPPER_LIP
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Motion
from lipstream.render import SplatRenderer

__all__ = ["Likeness", "likeness"]

_LIPS = sorted({point for lip in (UPPER_LIP, LOWER_LIP) for ring in lip for point in ring})


@dataclass(frozen=True, slots=True)
class Likeness:
    """Means over frames. Distances are of landmarks found again on what was drawn."""

    picture_psnr_db: float
    face_psnr_db: float  # inside the face's outline
    ssim: float
    landmarks_mm: float
    lips_mm: float


def likeness(
    model: AvatarModel,
    motion: Motion,
    canvases: NDArray[np.uint8],  # [T, 512, 512, 3]
    landmarks: NDArray[np.float64],  # [T, 478, 3] canvas pixels
    chosen: Iterable[int],
    detector: FaceDetector,
) -> Likeness:
    """Draw some frames of a motion and compare them with what was filmed."""
    renderer = SplatRenderer(model, CANVAS_PX)
    rows = []
    for k in chosen:
        drawn, real, seen = renderer.rgb(renderer.pose(motion, k)), canvases[k], landmarks[k]
        error = ((drawn.astype(np.float64) - real) / 255) ** 2
        face = polygon_mask(seen[list(FACE_OVAL), :2])
        again = detector.landmarks(drawn)
        off_mm = np.full(MESH_COUNT, np.nan) if again is None else _distances_mm(again, seen)
        rows.append(
            (
                _db(error),
                _db(error[face]),
                _similarity(drawn, real),
                off_mm.mean(),
                off_mm[_LIPS].mean(),
            )
        )
    return Likeness(*(float(value) for value in np.nanmean(rows, axis=0)))


def _similarity(drawn: NDArray[np.uint8], real: NDArray[np.uint8]) -> float:
    compare: Callable[..., float] = structural_similarity
    return float(compare(drawn, real, channel_axis=2))


def _db(squared_error: NDArray[np.float64]) -> float:
    return float(-10 * np.log10(max(float(squared_error.mean()), 1e-10)))


def _distances_mm(found: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    eyes = [seen[EYES[side].iris[0], :2] for side in ("Left", "Right")]
    mm_per_px = EYE_DISTANCE_MM / float(np.linalg.norm(eyes[0] - eyes[1]))
    off_px = np.linalg.norm(found[:MESH_COUNT, :2] - seen[:MESH_COUNT, :2], axis=1)
    return np.asarray(off_px * mm_per_px)
