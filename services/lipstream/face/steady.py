"""Landmarks with the head's motion taken out: upright, of one size, in millimetres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.face.head_frame import EYE_DISTANCE_MM
from lipstream.face.landmarks import EYES

__all__ = ["eye_distance_px", "steady"]

Doubles = NDArray[np.float64]

_CORNERS = {side: (eye.upper[0], eye.upper[-1]) for side, eye in EYES.items()}
_RIGID = (*_CORNERS["Right"], *_CORNERS["Left"], 168, 6, 197, 195, 5, 8, 9)
"""Corners of the eyes and the ridge of the nose: speech does not move them."""


def eye_distance_px(landmarks: Doubles) -> float:
    """Median over the frames `# [T, 478, 2+]` of the distance between the middles of the eyes."""
    right, left = _eyes(landmarks[..., :2])
    return float(np.median(np.linalg.norm(left - right, axis=-1)))


def steady(landmarks: Doubles) -> Doubles:
    """Landmarks `# [T, 478, 2]` in mm; x to the person's left, y down, origin between the eyes.

    Each frame is turned, scaled and moved so that its rigid points fit those of the clip's typical
    face in the least-squares sense (S. Umeyama, 1991, in two dimensions). That takes roll, distance
    and place out; a head that turns or nods still shortens widths or heights by the cosine.

    Args:
        landmarks: `# [T, 478, 2+]` in pixels, of one clip in order.
    """
    seen = _complex(landmarks[..., :2])  # [T, 478]
    right, left = (_complex(eye)[:, None] for eye in _eyes(landmarks[..., :2]))
    rigid = seen[:, list(_RIGID)]
    by_eyes = (rigid - (left + right) / 2) * (EYE_DISTANCE_MM / (left - right))
    typical = np.median(by_eyes.real, axis=0) + 1j * np.median(by_eyes.imag, axis=0)

    seen_middle, typical_middle = rigid.mean(1, keepdims=True), typical.mean()
    offsets = rigid - seen_middle
    turns = (offsets.conj() * (typical - typical_middle)).sum(1) / (np.abs(offsets) ** 2).sum(1)
    moved = (seen - seen_middle) * turns[:, None] + typical_middle
    return np.stack([moved.real, moved.imag], axis=-1)


def _eyes(points: Doubles) -> tuple[Doubles, Doubles]:
    right, left = (points[..., list(_CORNERS[side]), :].mean(-2) for side in ("Right", "Left"))
    return right, left


def _complex(points: Doubles) -> NDArray[np.complex128]:
    numbers: NDArray[np.complex128] = points[..., 0] + 1j * points[..., 1]
    return numbers
