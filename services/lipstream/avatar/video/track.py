"""The motion of a person in a shot, and a rig that makes it as they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.video.expressions import face_points, solve_expressions, solve_gaze
from lipstream.avatar.video.habits import learn_habits
from lipstream.avatar.video.poses import solve_poses
from lipstream.avatar.video.sitting import Sitting
from lipstream.face.motion import Motion
from lipstream.face.personal import PersonalShapes
from lipstream.face.rig import Rig, build_rig

__all__ = ["Track", "track"]


@dataclass(frozen=True, slots=True)
class Track:
    """What was tracked, with the rig that it drives."""

    rig: Rig
    motion: Motion  # [T] the frames of the sitting


def track(sitting: Sitting, reference: NDArray[np.float64]) -> Track:
    """Track with the rig of one picture, learn what it leaves over, and track again.

    The face at rest is corrected first, for the rounded shapes are made from it.

    Args:
        reference: `# [478, 3]` landmarks of the neutral frame, canvas pixels.
    """
    personal = PersonalShapes.unknown()
    fitted = ~sitting.held_out
    for shapes in (False, True):
        rig = build_rig(reference, CANVAS_PX, personal)
        path = solve_poses(rig, face_points(rig), sitting.landmarks, sitting.spacing_s)
        blendshapes = solve_expressions(rig, path, sitting.landmarks)
        habits = learn_habits(
            rig,
            path.only(fitted),
            sitting.landmarks[fitted],
            blendshapes[fitted],
            shapes=shapes,
        )
        personal = personal.plus(habits)
    rig = build_rig(reference, CANVAS_PX, personal)
    path = solve_poses(rig, face_points(rig), sitting.landmarks, sitting.spacing_s)
    motion = Motion(
        solve_expressions(rig, path, sitting.landmarks),
        path.rotation.astype(np.float32),
        path.translation.astype(np.float32),
        solve_gaze(sitting.landmarks, reference, sitting.spacing_s),
        fps=1 / sitting.spacing_s,
    )
    return Track(rig, motion)
