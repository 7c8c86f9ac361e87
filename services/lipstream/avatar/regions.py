"""Where things are in the canvas: face, neck, head, person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.polygon import polygon_mask
from lipstream.face import parts as head
from lipstream.face.landmarks import CHIN, FOREHEAD
from lipstream.face.rig import Rig
from lipstream.face.topology import face_topology

__all__ = ["Mask", "Regions", "find_regions"]

Mask = NDArray[np.bool_]  # [512, 512]
Plane = NDArray[np.float64]  # [512, 512]

_EARS = (234, 454)
_EAR_LOBES = (93, 323)
_JAW_CORNERS = (132, 361)


@dataclass(frozen=True, slots=True)
class Regions:
    """Masks and lines of one canvas; pixels."""

    landmarks: NDArray[np.float64]  # [478, 3]
    outline: NDArray[np.float64]  # [L, 2] the face mesh's edge
    face: Mask  # inside the outline
    person: Plane  # 0..1
    below_jaw: Plane  # distance under the jaw's line, negative above it
    jaw_columns: NDArray[np.bool_]  # [512] columns that the jaw spans

    @property
    def chin_y(self) -> float:
        return float(self.landmarks[CHIN, 1])

    @property
    def mouth_y(self) -> float:
        return float(self.landmarks[13, 1])

    @property
    def lobe_y(self) -> float:
        """Where the outline leaves the ears and becomes the jaw."""
        return float(self.landmarks[list(_EAR_LOBES), 1].min())

    @property
    def ear_y(self) -> float:
        """Where the outline runs before the middle of the ears."""
        return float(self.landmarks[list(_EARS), 1].mean())

    @property
    def face_height(self) -> float:
        return float(self.landmarks[CHIN, 1] - self.landmarks[FOREHEAD, 1])

    @property
    def rows(self) -> Plane:
        """y of every pixel."""
        return np.asarray(np.mgrid[:CANVAS_PX, :CANVAS_PX][0], float)

    @property
    def columns(self) -> Plane:
        """x of every pixel."""
        return np.asarray(np.mgrid[:CANVAS_PX, :CANVAS_PX][1], float)

    @property
    def beneath(self) -> Mask:
        """Under the jaw: neck, collar, chest."""
        return (self.below_jaw > 1) & self.jaw_columns[None, :]

    def outline_distance(self) -> Plane:
        """Distance from the face, 0 inside."""
        return np.asarray(ndi.distance_transform_edt(~self.face))


def find_regions(
    rig: Rig, landmarks_px: NDArray[np.float64], person: NDArray[np.float32]
) -> Regions:
    """Lay the rig's outline over the canvas."""
    photo = face_topology().weights @ rig.face.photo[:468]
    outline = rig.frame.project(photo[head.outline_loop(rig.skin)], CANVAS_PX)

    low = outline[outline[:, 1] > landmarks_px[list(_JAW_CORNERS), 1].min() - 2]
    low = low[np.argsort(low[:, 0])]
    columns = np.arange(CANVAS_PX)
    line = np.interp(columns + 0.5, low[:, 0], low[:, 1])
    return Regions(
        landmarks=landmarks_px,
        outline=outline,
        face=polygon_mask(outline),
        person=person.astype(np.float64),
        below_jaw=np.arange(CANVAS_PX)[:, None] - line[None, :],
        jaw_columns=(columns >= low[:, 0].min() - 1) & (columns <= low[:, 0].max() + 1),
    )
