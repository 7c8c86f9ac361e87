"""The person in a shot: who is seen, the square around their head, landmarks in every frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.canvas import crop_head
from lipstream.avatar.detector import FaceDetector
from lipstream.avatar.preflight import Reason, head_turn, sharpness_of
from lipstream.avatar.video.checkpoint import Checkpoint
from lipstream.avatar.video.footage import Footage, frames
from lipstream.avatar.video.shot import Shot
from lipstream.errors import BadInput
from lipstream.face.landmarks import EYES, INNER_LIP_CORNERS, LANDMARK_COUNT, MESH_COUNT

__all__ = ["Sitting", "watch"]

Doubles = NDArray[np.float64]

_GLANCES = 16
_SECOND_FACE_SHARE = 0.35
"""A smaller face than this share of the largest is taken for the background's."""
_OFTEN = 0.25
_LEAST_SEEN = 0.8
_STEP = "landmarks"
_KEPT_EVERY = 20
"""Frames after which what was found is kept."""
_UNSEEN = np.full((LANDMARK_COUNT, 3), np.nan)


@dataclass(frozen=True, slots=True)
class Sitting:
    """One person before a camera that stands still."""

    canvases: NDArray[np.uint8]  # [T, 512, 512, 3] the same square of every frame
    landmarks: Doubles  # [T, 478, 3] canvas pixels
    times_s: Doubles  # [T]
    held_out: NDArray[np.bool_]  # [T] not to be fitted to
    neutral: int  # the frame to paint from, not held out
    neutral_frame: NDArray[np.uint8]  # [H, W, 3] the same, whole

    @property
    def spacing_s(self) -> float:
        """Between frames."""
        return float(np.median(np.diff(self.times_s)))


def watch(
    footage: Footage,
    shot: Shot,
    detector: FaceDetector,
    say: Callable[[float], None],
    checkpoint: Checkpoint,
) -> Sitting:
    """Look at every frame of a shot; those whose landmarks were kept are not looked at again.

    Raises:
        BadInput: no face, or more than one, or it is hidden too often.
    """
    count = len(shot.frames)
    reached = checkpoint.load(_STEP)
    if reached is not None and len(reached["landmarks"]) <= count:
        face = reached["face"].astype(np.float64)
        found = list(reached["landmarks"].astype(np.float64))
    else:
        face, found = _glance(footage, shot, detector), []
    canvases, seen = [], []
    for k, pixels in enumerate(frames(footage, shot.frames)):
        canvas = crop_head(pixels, face).pixels
        if k == len(found):
            points = detector.landmarks(canvas)
            found.append(_UNSEEN if points is None else points)
            if len(found) % _KEPT_EVERY == 0 or len(found) == count:
                checkpoint.save(_STEP, face=face, landmarks=np.array(found))
        if np.isfinite(found[k]).all():
            canvases.append(canvas)
            seen.append(k)
        say((k + 1) / count)
    if len(seen) < _LEAST_SEEN * count:
        raise _no_face(f"A face is seen in only {len(seen)} of {count} frames.")
    chosen = np.array(seen)
    held_out = shot.held_out[chosen]
    pictures, landmarks = np.array(canvases), np.array(found)[chosen]
    neutral = _most_neutral(pictures, landmarks, held_out)
    whole = next(frames(footage, shot.frames[chosen[[neutral]]]))
    return Sitting(pictures, landmarks, shot.times_s[chosen], held_out, neutral, whole)


def _glance(footage: Footage, shot: Shot, detector: FaceDetector) -> Doubles:  # [478, 3]
    """The one face of a shot, as it is held most of the time, in pixels of the whole picture."""
    few = np.unique(np.linspace(0, len(shot.frames) - 1, _GLANCES).round().astype(int))
    found = [detector.faces(pixels) for pixels in frames(footage, shot.frames[few])]
    seen = [faces for faces in found if faces]
    if not seen:
        raise _no_face("No face was found in the video.")
    several = [faces for faces in seen if len(faces) > 1 and _rivals(faces)]
    if len(several) > _OFTEN * len(seen):
        raise BadInput(
            "The video shows more than one person.",
            remedy="Send one of a single person, or crop the picture to them.",
            code="several_people",
        )
    return np.asarray(np.median([faces[0] for faces in seen], axis=0))


def _rivals(faces: list[Doubles]) -> bool:
    heights = [float(np.ptp(face[:MESH_COUNT, 1])) for face in faces]
    return heights[1] > _SECOND_FACE_SHARE * heights[0]


def _most_neutral(
    canvases: NDArray[np.uint8], landmarks: Doubles, held_out: NDArray[np.bool_]
) -> int:
    """The frame with closed lips, open eyes, the head straight, and sharp."""
    eyes = EYES["Left"], EYES["Right"]
    between = np.linalg.norm(landmarks[:, eyes[0].iris[0]] - landmarks[:, eyes[1].iris[0]], axis=1)
    gap = np.abs(landmarks[:, 14, 1] - landmarks[:, 13, 1]) / between
    right, left = INNER_LIP_CORNERS
    width = (landmarks[:, left, 0] - landmarks[:, right, 0]) / between
    opening = np.mean(
        [landmarks[:, eye.lower[4], 1] - landmarks[:, eye.upper[4], 1] for eye in eyes], axis=0
    )
    closed_eyes = np.maximum(0, np.percentile(opening, 80) - opening) / between
    turns = [head_turn(face) for face in landmarks]
    angles = np.array([abs(t.yaw) + abs(t.pitch) + abs(t.roll) for t in turns])
    sharp = np.array([sharpness_of(c, face) for c, face in zip(canvases, landmarks, strict=True)])
    cost = (
        8 * gap
        + 8 * closed_eyes
        + 2 * np.abs(width - np.median(width))
        + angles / 40
        + 0.5 * np.maximum(0, 1 - sharp / np.percentile(sharp, 90))
    )
    return int(np.argmin(np.where(held_out, np.inf, cost)))


def _no_face(message: str) -> BadInput:
    return BadInput(
        message,
        remedy="Send a video of one person who looks into the camera, in even light, the face "
        "never covered.",
        code=Reason.NO_FACE.value,
    )
