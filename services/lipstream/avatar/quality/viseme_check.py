"""Does the avatar show what it is told to: landmarks found on its pictures against the rig's own.

What was commanded is read off the rig, as the landmarks that it puts before the camera, and
measured as what is detected is: a rig that opens its mouth differently moves both alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lipstream.face.head_frame import EYE_DISTANCE_MM
from lipstream.face.landmarks import LOWER_LIP, MESH_COUNT, UPPER_LIP, Ring
from lipstream.face.model import AvatarModel
from lipstream.face.openings import eye_openings, lip_gaps, mouth_widths
from lipstream.face.steady import eye_distance_px, steady
from lipstream.render import Pose
from lipstream.render.reference import camera_vertices

__all__ = [
    "BLINK",
    "MOUTHS",
    "REST",
    "Looker",
    "MouthCheck",
    "VisemeCheck",
    "check_visemes",
    "commanded_landmarks",
]

Doubles = NDArray[np.float64]

REST, BLINK = "rest", "blink"
MOUTHS = (REST, "AA", "IY", "UW", "OW", "M", "FV")
"""The poses whose mouths are measured."""
_LIPS = [point for ring in (Ring.INNER, Ring.BORDER) for point in UPPER_LIP[ring] + LOWER_LIP[ring]]


_COPIES = 5
"""Of each picture beside itself: landmarks found on one alone scatter by a millimetre."""


class Looker(Protocol):
    """Finds landmarks, as `lipstream.avatar.detector.FaceDetector` does."""

    def refined(self, picture: NDArray[np.uint8], copies: int) -> Doubles | None:
        """`# [478, 3]` in pixels of the face that stands out most in `# [H, W, 3]`."""
        ...


@dataclass(frozen=True, slots=True)
class MouthCheck:
    """One pose's mouth, mm; see `lipstream.face.openings`."""

    gap_commanded_mm: float
    gap_detected_mm: float
    width_commanded_mm: float
    width_detected_mm: float
    lips_offset_mm: float
    """Mean distance of the lips from where the rig has them on the picture."""

    @property
    def error_mm(self) -> float:
        """The larger of the two differences."""
        return max(
            abs(self.gap_detected_mm - self.gap_commanded_mm),
            abs(self.width_detected_mm - self.width_commanded_mm),
        )


@dataclass(frozen=True, slots=True)
class VisemeCheck:
    """What was seen of an avatar's poses. A value is missing where no face was found."""

    mouths: Mapping[str, MouthCheck] = field(default_factory=dict)
    """By pose; see `MOUTHS`."""
    unseen: tuple[str, ...] = ()
    """Poses in whose pictures no face was found."""
    eye_open_mm: float | None = None
    """At rest."""
    eye_shut_mm: float | None = None
    """In a blink."""

    @property
    def worst_mm(self) -> float | None:
        """The largest error of a viseme's mouth; rest is no viseme."""
        errors = [mouth.error_mm for name, mouth in self.mouths.items() if name != REST]
        return max(errors) if errors else None

    def figures(self) -> dict[str, float]:
        """As flat numbers, for a bundle's papers."""
        found = {
            f"viseme_{name.lower()}_{measure}": value
            for name, mouth in self.mouths.items()
            for measure, value in asdict(mouth).items()
        }
        single = {
            "viseme_worst_mm": self.worst_mm,
            "eye_open_mm": self.eye_open_mm,
            "eye_shut_mm": self.eye_shut_mm,
        }
        present = {name: value for name, value in single.items() if value is not None}
        return {**found, **present, "poses_unseen": float(len(self.unseen))}


def check_visemes(
    model: AvatarModel,
    poses: Mapping[str, Pose],
    pictures: Mapping[str, NDArray[np.uint8]],
    looker: Looker,
) -> VisemeCheck:
    """Look at an avatar's pictures again.

    Args:
        poses: of `MOUTHS` and `BLINK`, the head at rest.
        pictures: `# [S, S, 3]`, what was drawn of them.
    """
    detected: dict[str, Doubles] = {}
    commanded: dict[str, Doubles] = {}
    for name in (*MOUTHS, BLINK):
        landmarks = looker.refined(pictures[name], _COPIES)
        if landmarks is not None:
            detected[name] = landmarks[:MESH_COUNT, :2]
            size_px = pictures[name].shape[0]
            commanded[name] = size_px * commanded_landmarks(model, poses[name])
    unseen = tuple(name for name in (*MOUTHS, BLINK) if name not in detected)
    if not detected:
        return VisemeCheck(unseen=unseen)
    names = list(detected)
    seen_px, rig_px = np.stack(list(detected.values())), np.stack(list(commanded.values()))
    seen, rig = steady(seen_px), steady(rig_px)
    offsets_px = np.linalg.norm(seen_px - rig_px, axis=2)[:, _LIPS].mean(1)
    offsets_mm = offsets_px * (EYE_DISTANCE_MM / eye_distance_px(rig_px))
    columns = (lip_gaps(rig), lip_gaps(seen), mouth_widths(rig), mouth_widths(seen), offsets_mm)
    measures = dict(zip(names, np.stack(columns, axis=1).tolist(), strict=True))
    eyes = dict(zip(names, eye_openings(seen).tolist(), strict=True))
    return VisemeCheck(
        mouths={name: MouthCheck(*measures[name]) for name in names if name != BLINK},
        unseen=unseen,
        eye_open_mm=eyes.get(REST),
        eye_shut_mm=eyes.get(BLINK),
    )


def commanded_landmarks(model: AvatarModel, pose: Pose) -> Doubles:  # [468, 2]
    """Where the rig puts the face's landmarks on the picture, in picture widths."""
    surface = model.surface  # whose first vertices are the landmarks
    end = int(surface.shapes.offsets[MESH_COUNT])
    shapes = replace(
        surface.shapes,
        offsets=surface.shapes.offsets[: MESH_COUNT + 1],
        ids=surface.shapes.ids[:end],
        vectors=surface.shapes.vectors[:end],
    )
    mesh = replace(
        surface,
        vertices=surface.vertices[:MESH_COUNT],
        head_weights=surface.head_weights[:MESH_COUNT],
        shapes=shapes,
    )
    points = camera_vertices(replace(model, surface=mesh), pose)
    return np.asarray(model.focal * points[:, :2] / points[:, 2:] + 0.5)
