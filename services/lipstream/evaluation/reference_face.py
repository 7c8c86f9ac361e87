"""The face on which blendshapes become vertices: metrics in millimetres need somebody's.

It is our own rig on the landmarks of one public-domain portrait (Rear Admiral Grace Hopper, US
Navy, which matplotlib ships), found by `avatar.detector.FaceDetector` in the photo set into a
square of 600 px. The rig takes the photo's expression off and scales the eyes to 63 mm apart, so
what is compared is the movement of an average-sized face at rest. Head pose is left out, as it is
in the vertex corpora; gaze turns eyeballs, which have no vertices here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from lipstream.face.arkit import BLENDSHAPE_COUNT, BLENDSHAPES
from lipstream.face.landmarks import MESH_COUNT
from lipstream.face.motion import Floats
from lipstream.face.rig import build_rig

__all__ = ["ReferenceFace", "reference_face"]

_PORTRAIT = "reference_face.npz"


@dataclass(frozen=True, slots=True)
class ReferenceFace:
    """468 landmarks in MediaPipe's order, in millimetres in the head frame."""

    neutral: Floats  # [468, 3]
    shapes: Floats  # [52, 468, 3] displacement at weight 1

    def vertices(self, blendshapes: Floats) -> Floats:  # [T, 52] -> [T, 468, 3]
        """The face under ARKit weights, which are cut to 0..1."""
        weights = np.clip(blendshapes, 0, 1).astype(np.float32)
        moved = weights @ self.shapes.reshape(BLENDSHAPE_COUNT, -1)
        return np.asarray(self.neutral + moved.reshape(-1, MESH_COUNT, 3), np.float32)


@cache
def reference_face() -> ReferenceFace:
    """The same face in every evaluation; takes a second to build once."""
    portrait = resources.files("lipstream.evaluation") / _PORTRAIT
    with resources.as_file(portrait) as path, np.load(path, allow_pickle=False) as stored:
        landmarks_px, size_px = stored["landmarks_px"].astype(np.float64), int(stored["size_px"])
    skin = build_rig(landmarks_px, size_px).skin
    shapes = np.zeros((BLENDSHAPE_COUNT, MESH_COUNT, 3), np.float32)
    for index, name in enumerate(BLENDSHAPES):
        if name in skin.shapes:
            shapes[index] = skin.shapes[name][:MESH_COUNT]
    return ReferenceFace(skin.vertices[:MESH_COUNT].astype(np.float32), shapes)
