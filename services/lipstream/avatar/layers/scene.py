"""What every layer paints from: the photo, its regions, the posed surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lipstream.avatar.filling import fill_smoothly, sample
from lipstream.avatar.matte import HeadMatte
from lipstream.avatar.plate import Plate
from lipstream.avatar.regions import Regions
from lipstream.avatar.sides import FaceColors
from lipstream.avatar.stage import PosedSurface
from lipstream.face import parts as head
from lipstream.face.landmarks import LOWER_LIP, UPPER_LIP, Ring
from lipstream.face.rig import Rig

__all__ = ["PhotoScene"]


@dataclass(frozen=True, slots=True)
class PhotoScene:
    """One photo, taken apart."""

    photo: NDArray[np.float64]  # [512, 512, 3] 0..1
    rig: Rig
    regions: Regions
    matte: HeadMatte
    plate: Plate
    stage: PosedSurface
    head_colors: NDArray[np.float64]  # [512, 512, 3] the head's own colours, spread past its edge
    face_colors: FaceColors

    @staticmethod
    def spread_head(
        photo: NDArray[np.float64], regions: Regions, matte: HeadMatte
    ) -> NDArray[np.float64]:
        """The head's colours with the background's share at its edge replaced from inside."""
        inside = ndi.distance_transform_edt(matte.head & (regions.person > 0.35))
        low = np.clip((regions.rows - regions.lobe_y + 8) / 16, 0, 1)
        core = inside > 3 + 4 * low
        spread = fill_smoothly(photo, core)
        own = np.clip((inside - 1) / (3 + 3 * low), 0, 1)[..., None]
        return np.asarray(photo * own + spread * (1 - own))

    @property
    def mouth_px(self) -> NDArray[np.float64]:  # [L, 2]
        """The line where the lips meet, in the photo."""
        return self.stage.photo_px[head.mouth_loop(self.rig.skin)]

    @property
    def lip_color(self) -> NDArray[np.float64]:  # [3]
        """Typical colour of the lips."""
        rings = (Ring.WET, Ring.VERMILION)
        points = [i for lip in (UPPER_LIP, LOWER_LIP) for ring in rings for i in lip[ring]]
        return np.asarray(np.median(sample(self.photo, self.stage.photo_px[points]), axis=0))

    def outline_distance(self, points_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distance of pixels from the face's outline."""
        distance, _ = cKDTree(self.regions.outline).query(points_px)
        return np.asarray(distance)
