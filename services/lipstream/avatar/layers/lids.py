"""Closing lids in the colours of the skin around the eye, with lashes at their edge.

What a photo shows above an open eye is lashes, shadow and a folded lid: drawn down over the eye
they would turn to dark streaks.
"""

from __future__ import annotations

import cv2
import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.filling import fill_smoothly, mix, sample
from lipstream.avatar.layers.scene import PhotoScene
from lipstream.avatar.polygon import polygon_mask
from lipstream.face.landmarks import EYES
from lipstream.face.parts import smoothstep
from lipstream.face.shape_names import LID_LEFT, LID_RIGHT

__all__ = ["LID_SHARE", "lid_tints"]

Array = NDArray[np.float64]

LID_SHARE = 0.9
"""Of the way to the skin's colour; the rest keeps some grain."""
_FROM_FOLD = (0.0, 0.05)
_LASHES = (0.62, 0.90)
"""Places on the lid, 0 at its fold and 1 at its edge, over which skin begins and lashes do."""
_LASH_BAND_PX = 2.0
_LASH_PERCENTILE = 20.0
"""Of brightness along the edge of the open lid: as dark as this are lashes."""
_AROUND = 0.28
"""Reach of the skin that is looked at around an eye, in widths of the eye."""
_SKIN_PERCENTILES = (30.0, 80.0)
"""Of brightness there: darker are brows, lashes and frames of glasses, brighter are glints."""
_NAMES = {"Left": LID_LEFT, "Right": LID_RIGHT}


def lid_tints(
    scene: PhotoScene,
    points: Array,  # [N, 2] canvas pixels
    lid: Array,  # [N] 1 at the edge of an upper lid, 0 off it
    colors: Array,  # [N, 3]
) -> dict[str, Array]:  # [N, 3] each
    """What a closed lid adds to the colours of the open one, by colour shape."""
    on_lid = LID_SHARE * smoothstep(*_FROM_FOLD, lid)
    at_edge = smoothstep(*_LASHES, lid)
    landmarks = scene.regions.landmarks[:, :2]
    middle = {side: landmarks[list(eye.points)].mean(0) for side, eye in EYES.items()}
    nearer_left = np.linalg.norm(points - middle["Left"], axis=1) < np.linalg.norm(
        points - middle["Right"], axis=1
    )
    tints = {}
    for side, name in _NAMES.items():
        mine = on_lid * (nearer_left == (side == "Left"))
        skin = sample(_bare(scene, side), points)
        lashes = np.broadcast_to(_lash_color(scene, side), skin.shape)
        tints[name] = (mix(skin, lashes, at_edge) - colors) * mine[:, None]
    return tints


def _bare(scene: PhotoScene, side: str) -> Array:  # [512, 512, 3]
    """The photo without one eye: skin continued over it."""
    eye, landmarks = EYES[side], scene.regions.landmarks[:, :2]
    socket = polygon_mask(landmarks[list(eye.upper_fold + eye.lower_fold[-2:0:-1])])
    width = float(np.linalg.norm(landmarks[eye.upper[0]] - landmarks[eye.upper[-1]]))
    around = (ndi.distance_transform_edt(~socket) < _AROUND * width) & ~socket
    brightness = scene.photo.mean(-1)
    darkest, brightest = np.percentile(brightness[around], _SKIN_PERCENTILES)
    skin = around & (brightness > darkest) & (brightness < brightest)
    return np.asarray(ndi.gaussian_filter(fill_smoothly(scene.photo, skin), (1.5, 1.5, 0)))


def _lash_color(scene: PhotoScene, side: str) -> Array:  # [3]
    edge, landmarks = list(EYES[side].upper), scene.regions.landmarks[:, :2]
    line = np.zeros(scene.regions.face.shape, np.uint8)
    cv2.polylines(
        line, [np.rint(landmarks[edge] - 0.5).astype(np.int32)], isClosed=False, color=(1,)
    )
    near = scene.photo[ndi.distance_transform_edt(line == 0) <= _LASH_BAND_PX]
    brightness = near.mean(-1)
    return np.asarray(near[brightness <= np.percentile(brightness, _LASH_PERCENTILE)].mean(0))
