"""Is this photo fit for an avatar? Typed reasons, each with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.face.head_frame import frame_landmarks
from lipstream.face.landmarks import EYES, MESH_COUNT

__all__ = ["Finding", "HeadTurn", "Preflight", "Reason", "check_faces", "head_turn"]


class Reason(StrEnum):
    """Stable, machine-readable names."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    TURNED_TOO_FAR = "turned_too_far"
    EYES_OR_MOUTH_HIDDEN = "eyes_or_mouth_hidden"
    BLURRED = "blurred"
    OVER_EXPOSED = "over_exposed"
    TOO_DARK = "too_dark"
    MOUTH_OPEN = "mouth_open"
    SMILE = "smile"
    WEAK_VISEMES = "weak_visemes"
    WEAK_BLINK = "weak_blink"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that will lower the avatar's quality."""

    reason: Reason
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class HeadTurn:
    """How a head is held; degrees. Positive as in `Motion`: left, up, to the left shoulder."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, slots=True)
class Preflight:
    """The face to use, and what is not ideal about it."""

    landmarks_px: NDArray[np.float64]  # [478, 3] in the photo
    warnings: tuple[Finding, ...]
    face_height_px: float
    turn: HeadTurn
    sharpness: float
    over_exposed: float  # share of the face's pixels


_LEAST_FACE_PX = 64.0
_POOR_FACE_PX = 150.0
_MOST_YAW_DEG, _MOST_PITCH_DEG, _MOST_ROLL_DEG = 35.0, 30.0, 30.0
_POOR_TURN_DEG = 18.0
_LEAST_SHARPNESS, _POOR_SHARPNESS = 2.0, 4.0
_MOST_OVER_EXPOSED, _POOR_OVER_EXPOSED = 0.40, 0.12
_LEAST_LIGHT = 72.0
"""Grey levels of a face's brightest parts; dark skin in room light has twice that."""
_SECOND_FACE_SHARE = 0.35
"""A face smaller than this share of the largest is taken for the background's."""
_FACE_CANVAS_PX = 160


def check_faces(pixels: NDArray[np.uint8], faces: list[NDArray[np.float64]]) -> Preflight:
    """Judge the largest face.

    Args:
        pixels: `# [H, W, 3]`.
        faces: landmarks `# [478, 3]` in pixels, the largest first.

    Raises:
        BadInput: with a `Reason` as its code.
    """
    if not faces:
        raise _refusal(
            Reason.NO_FACE,
            "No face was found in the photo.",
            "Send a photo with one face, seen from the front, in even light.",
        )
    face = faces[0]
    warnings: list[Finding] = []
    height = float(np.ptp(face[:MESH_COUNT, 1]))
    others = sum(float(np.ptp(f[:MESH_COUNT, 1])) > _SECOND_FACE_SHARE * height for f in faces[1:])
    if others:
        warnings.append(
            Finding(
                Reason.SEVERAL_FACES,
                f"The photo shows {others + 1} faces; the largest was taken.",
                "If another was meant, cut the photo to that face.",
            )
        )
    _check_size(height, warnings)
    turn = head_turn(face)
    _check_turn(turn, warnings)
    patch = _face_patch(pixels, face)
    _check_light(patch)
    _check_features(pixels, face)
    sharpness = _sharpness(patch)
    _check_sharpness(sharpness, warnings)
    bright = float((patch.min(-1) >= 250).mean())
    _check_exposure(bright, warnings)
    return Preflight(face, tuple(warnings), height, turn, sharpness, bright)


def _refusal(reason: Reason, message: str, remedy: str) -> BadInput:
    return BadInput(message, remedy=remedy, code=reason.value)


def _check_size(height: float, warnings: list[Finding]) -> None:
    if height < _LEAST_FACE_PX:
        raise _refusal(
            Reason.TOO_SMALL,
            f"The face is only {height:.0f} pixels high; {_LEAST_FACE_PX:.0f} are needed.",
            "Send a larger photo, or one taken from nearer.",
        )
    if height < _POOR_FACE_PX:
        warnings.append(
            Finding(
                Reason.TOO_SMALL,
                f"The face is only {height:.0f} pixels high; the avatar will look soft.",
                f"Use a photo in which it is {_POOR_FACE_PX:.0f} pixels high or more.",
            )
        )


def head_turn(face: NDArray[np.float64]) -> HeadTurn:
    """How the head is held, from its landmarks `# [478, 3]` in pixels."""
    # The size only sets the perspective, which the angles hardly feel.
    size = int(2.3 * np.ptp(face[:MESH_COUNT, 1])) + 1
    centred = face.copy()
    centred[:, :2] += size / 2 - face[:MESH_COUNT, :2].mean(0)
    frame, _ = frame_landmarks(centred, size)
    forward = -frame.rotation[2]
    across = frame.rotation[0]
    return HeadTurn(
        yaw=float(np.degrees(np.arctan2(forward[0], -forward[2]))),
        pitch=float(np.degrees(np.arcsin(np.clip(-forward[1], -1, 1)))),
        roll=float(np.degrees(np.arctan2(across[1], across[0]))),
    )


def _check_turn(turn: HeadTurn, warnings: list[Finding]) -> None:
    yaw, pitch, roll = abs(turn.yaw), abs(turn.pitch), abs(turn.roll)
    if yaw > _MOST_YAW_DEG or pitch > _MOST_PITCH_DEG or roll > _MOST_ROLL_DEG:
        raise _refusal(
            Reason.TURNED_TOO_FAR,
            f"The head is turned too far: {yaw:.0f} degrees sideways, {pitch:.0f} up or down, "
            f"{roll:.0f} to a shoulder.",
            "Send a photo in which the person looks straight into the camera.",
        )
    if max(yaw, pitch, roll) > _POOR_TURN_DEG:
        warnings.append(
            Finding(
                Reason.TURNED_TOO_FAR,
                "The head is turned: one side of the face is hardly seen.",
                "Use a photo in which the person looks straight into the camera.",
            )
        )


def _check_features(pixels: NDArray[np.uint8], face: NDArray[np.float64]) -> None:
    """Eyes and mouth must lie inside the picture and look like more than a flat patch."""
    height, width = pixels.shape[:2]
    groups = {
        "left eye": EYES["Left"].points,
        "right eye": EYES["Right"].points,
        "mouth": (61, 291, 0, 17, 40, 270, 91, 321),
    }
    scale = float(np.ptp(face[:MESH_COUNT, 1]))
    for name, points in groups.items():
        low, high = face[list(points), :2].min(0), face[list(points), :2].max(0)
        outside = low.min() < 0 or high[0] >= width or high[1] >= height
        if not outside:
            left, top = low.astype(int)
            right, bottom = np.ceil(high).astype(int) + 1
            patch = cv2.cvtColor(pixels[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
            outside = float(patch.std()) < _LEAST_CONTRAST
        if outside or float((high - low).max()) < 0.05 * scale:
            raise _refusal(
                Reason.EYES_OR_MOUTH_HIDDEN,
                f"The {name} cannot be seen.",
                "Send a photo that shows both eyes and the whole mouth, without sunglasses "
                "or a mask.",
            )


_LEAST_CONTRAST = 3.0
"""Standard deviation in grey levels: even a face in fog has more in its eyes and mouth."""


def _face_patch(pixels: NDArray[np.uint8], face: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The face brought to a fixed size, so that sharpness does not depend on resolution."""
    height, width = pixels.shape[:2]
    low = np.maximum(face[:MESH_COUNT, :2].min(0).astype(int), 0)
    high = np.minimum(face[:MESH_COUNT, :2].max(0).astype(int) + 1, (width, height))
    patch = pixels[low[1] : high[1], low[0] : high[0]]
    side = _FACE_CANVAS_PX
    return np.asarray(cv2.resize(patch, (side, side), interpolation=cv2.INTER_AREA))


def _sharpness(patch: NDArray[np.uint8]) -> float:
    """Mean absolute Laplacian at the scale of a 160 pixel face, in grey levels."""
    grey = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())


def _check_sharpness(sharpness: float, warnings: list[Finding]) -> None:
    if sharpness < _LEAST_SHARPNESS:
        raise _refusal(
            Reason.BLURRED, "The face is blurred.", "Send a sharp photo, taken in good light."
        )
    if sharpness < _POOR_SHARPNESS:
        warnings.append(
            Finding(
                Reason.BLURRED,
                "The face is soft in the photo, and will be so in the avatar.",
                "Use a sharper photo.",
            )
        )


def _check_light(patch: NDArray[np.uint8]) -> None:
    """The lit side of a face in shadow is enough; darkness would read as blur or hidden eyes."""
    if float(np.percentile(patch.max(-1), 95)) < _LEAST_LIGHT:
        raise _refusal(
            Reason.TOO_DARK, "The face is too dark.", "Send a photo taken in brighter, even light."
        )


def _check_exposure(share: float, warnings: list[Finding]) -> None:
    if share > _MOST_OVER_EXPOSED:
        raise _refusal(
            Reason.OVER_EXPOSED,
            f"The face is over-exposed: {share:.0%} of it is white.",
            "Send a photo in softer light.",
        )
    if share > _POOR_OVER_EXPOSED:
        warnings.append(
            Finding(
                Reason.OVER_EXPOSED,
                "Parts of the face are over-exposed.",
                "Use a photo in softer light.",
            )
        )
