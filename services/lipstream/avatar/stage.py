"""The joined surface in front of the camera, as layers see it when they place Gaussians."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.face.cage import Points
from lipstream.face.model import Surface
from lipstream.face.parts import Part
from lipstream.face.rig import Rig, Span, assemble
from lipstream.face.shape_names import PHOTO_PART, PHOTO_SMILE

__all__ = ["PosedSurface", "pose_surface"]

_OPEN = {"jawOpen": 0.6, "mouthFunnel": 0.35, "mouthUpperUpLeft": 0.3, "mouthUpperUpRight": 0.3}
_ROUNDED = {"mouthPucker": 0.9, "mouthFunnel": 0.2, "jawOpen": 0.05}


@dataclass(frozen=True, slots=True)
class PosedSurface:
    """Camera-space geometry at rest and with the photo's expression."""

    surface: Surface
    spans: Mapping[str, Span]
    parts: Mapping[str, Part]
    triangles: NDArray[np.int64]  # [F, 3]
    rest: Points  # [V, 3] mm, camera frame
    open: Points  # [V, 3] mm, camera frame, the mouth wide open and rounded
    rounded: Points  # [V, 3] mm, camera frame, the lips pursed
    photo: Points  # [V, 3] mm, camera frame
    photo_px: NDArray[np.float64]  # [V, 2] canvas pixels
    mm_per_px: float  # at the face

    def coordinate(
        self, part: str, name: str, triangles: NDArray[np.int64], barycentric: NDArray[np.float64]
    ) -> NDArray[np.float64]:  # [N]
        """A part's coordinate at points given by triangle and barycentric coordinates."""
        return self.interpolate(part, self.parts[part].coordinates[name], triangles, barycentric)

    def interpolate(
        self,
        part: str,
        values: NDArray[np.float64],  # [Vp] or [Vp, D]
        triangles: NDArray[np.int64],
        barycentric: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Values at a part's vertices, interpolated."""
        local = self.triangles[triangles] - self.spans[part].vertices.start
        corners = values[local]
        weights = barycentric if values.ndim == 1 else barycentric[..., None]
        return np.asarray((corners * weights).sum(1))

    def facing(self, part: str) -> NDArray[np.float64]:  # [Fp]
        """Cosine between a part's triangles and the view in the photo."""
        a, b, c = (self.photo[self.triangles[self.spans[part].triangles][:, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        length = np.linalg.norm(normal, axis=1) * np.linalg.norm(a, axis=1)
        return np.asarray(-(normal * a).sum(1) / np.maximum(length, 1e-9))


def pose_surface(rig: Rig, parts: tuple[Part, ...]) -> PosedSurface:
    """Join the parts and put them before the camera."""
    surface, spans = assemble(rig, parts)
    photo = _posed(parts, {PHOTO_SMILE: 1.0, PHOTO_PART: 1.0})
    return PosedSurface(
        surface=surface,
        spans=spans,
        parts={part.name: part for part in parts},
        triangles=surface.triangles.astype(np.int64),
        rest=rig.frame.to_camera(_posed(parts, {})),
        open=rig.frame.to_camera(_posed(parts, _OPEN)),
        rounded=rig.frame.to_camera(_posed(parts, _ROUNDED)),
        photo=rig.frame.to_camera(photo),
        photo_px=rig.frame.project(photo, CANVAS_PX),
        mm_per_px=float(rig.frame.origin[2] / (rig.frame.focal * CANVAS_PX)),
    )


def _posed(parts: tuple[Part, ...], weights: Mapping[str, float]) -> Points:
    """Vertices of all parts under some shapes, head frame."""
    posed = []
    for part in parts:
        vertices = part.vertices.copy()
        for name, weight in weights.items():
            if name in part.shapes:
                vertices += weight * part.shapes[name]
        posed.append(vertices)
    return np.concatenate(posed)
