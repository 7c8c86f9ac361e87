"""The jaw: a hinge below the ears, and slides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.face.cage import Points
from lipstream.face.expressions.anatomy import Anatomy
from lipstream.face.landmarks import EYES, LOWER_LIP, NOSE, UPPER_FACE, UPPER_LIP, Ring
from lipstream.face.lip_field import ALONG, BULGE, LIP, LIP_POINTS, per_ring

__all__ = ["Jaw"]

_OPEN_RAD = np.deg2rad(26)
"""Opens the lips by about 30 mm at weight 1. ICT-FaceKit's `jawOpen`, the other public rig with
ARKit's names, opens them by 37 mm between eyes 63 mm apart."""
_SPOKEN = 0.4
"""The weight at which the hinge's arc is exact: speech seldom opens wider. An arc drawn straight to
weight 1 would lead the chin back where it should fall, for it hangs below the hinge."""
_CORNERS_IN_MM = 1.0
"""By which each corner of the mouth comes in at weight 1: 2 mm in ICT-FaceKit, while the mouths of
GRID talkers are as wide at their widest opening as at rest."""
_UPPER_LIP_DOWN_MM = 0.8
"""The upper lip is drawn down a little at weight 1."""
_SLIDES: dict[str, tuple[float, float, float]] = {
    "jawForward": (0, 0, -5.0),
    "jawLeft": (6.0, 0, 0),
    "jawRight": (-6.0, 0, 0),
}
"""Millimetres at weight 1."""

_FIRM = {
    **dict.fromkeys((152, 148, 377, 176, 400), 1.0),
    **dict.fromkeys((199, 175, 200, 18, 83, 313, 201, 421, 208, 428), 1.0),
    **{149: 0.98, 378: 0.98, 150: 0.94, 379: 0.94, 136: 0.84, 365: 0.84, 172: 0.62, 397: 0.62},
    **{58: 0.36, 288: 0.36, 132: 0.17, 361: 0.17, 93: 0.06, 323: 0.06},
}
"""How far skin follows the bone, along the jaw line."""
_UNMOVED = (
    *(234, 454, 127, 356, 162, 389, 21, 251, 54, 284, 103, 332, 67, 297, 109, 338, 10, 50, 280),
    *(116, 345, 117, 346, 118, 347, 123, 352, 227, 447, 101, 330, 36, 266),
)


class Jaw:
    """The lower jaw of one face."""

    def __init__(self, anatomy: Anatomy) -> None:
        self._anatomy = anatomy
        self._hinge = anatomy.jaw_hinge
        self.weights = self._skin_weights()  # [468] how far each landmark follows the bone

    def swing(self, points: Points) -> Points:
        """Displacement of points fixed to the bone at `jawOpen` = 1."""
        y, z = points[..., 1] - self._hinge[1], points[..., 2] - self._hinge[2]
        cos, sin = np.cos(_SPOKEN * _OPEN_RAD), np.sin(_SPOKEN * _OPEN_RAD)
        arc = np.stack([np.zeros_like(y), y * cos - z * sin - y, y * sin + z * cos - z], -1)
        return np.asarray(arc / _SPOKEN)

    def carry(
        self, points: Points, *, swing: float = 1.0, slide: float = 1.0
    ) -> dict[str, NDArray[np.float64]]:  # [P, 3] each
        """The jaw's shapes for points inside the mouth that hang on the bone.

        Args:
            swing: share of the hinge's movement that they follow.
            slide: share of the slides.
        """
        shapes = {"jawOpen": self.swing(points) * swing}
        for name, offset in _SLIDES.items():
            shapes[name] = np.tile(np.array(offset) * slide, (len(points), 1))
        return shapes

    def shapes(self) -> dict[str, NDArray[np.float64]]:  # [468, 3] each
        neutral, lips = self._anatomy.neutral, self._anatomy.lips
        follow = self.weights[:, None]
        shapes = {name: follow * np.array(slide) for name, slide in _SLIDES.items()}

        corners_in = (
            -np.sign(ALONG) * _CORNERS_IN_MM * np.abs(ALONG) ** 1.6 * per_ring(1, 1, 1, 1, 0.9)
        )
        shapes["jawOpen"] = self.swing(neutral) * follow + lips.spread(
            corners_in, np.where(LIP < 0, _UPPER_LIP_DOWN_MM * BULGE, 0.0)
        )
        shapes["mouthClose"] = self._mouth_close()
        return shapes

    def _mouth_close(self) -> NDArray[np.float64]:
        """Lips shut over an open jaw: the lower lip does 70 % of the way, the upper the rest."""
        inner = LIP_POINTS[:, Ring.INNER]
        drop = self.swing(self._anatomy.neutral[inner]) * self.weights[inner][..., None]
        apart = (drop[1] - drop[0])[None, None]  # [1, 1, 11, 3]
        apart[..., 1] -= _UPPER_LIP_DOWN_MM * BULGE
        upper = 0.30 * per_ring(1, 0.97, 0.92, 0.8, 0.35)
        lower = -0.70 * per_ring(1, 0.97, 0.93, 0.85, 0.5)
        share = np.where(LIP < 0, upper, lower)
        return self._anatomy.lips.spread(*(share * apart[..., axis] for axis in range(3)))

    def _skin_weights(self) -> NDArray[np.float64]:  # [468] 0..1
        handles: dict[int, float] = {}
        corner = np.array([0.40, 0.42, 0.44, 0.46, 0.50])[:, None]  # [5, 1] by ring
        middle = BULGE[0]
        lower = corner + (1 - corner) * middle**0.6
        upper = corner * (1 - middle) ** 1.6
        for points, weights in ((UPPER_LIP, upper), (LOWER_LIP, lower)):
            for ring, row in zip(points, weights, strict=True):
                handles.update(zip(ring, row.tolist(), strict=True))
        handles.update(_FIRM)
        eyes = (index for eye in EYES.values() for index in eye.points)
        held = set(NOSE) | set(UPPER_FACE) | set(eyes) | set(_UNMOVED)
        field = self._anatomy.cage.spread(
            {i: (w,) for i, w in handles.items()}, held - set(handles)
        )
        return field[:, 0].clip(0, 1)
