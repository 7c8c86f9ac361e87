"""From one photo to an avatar."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX, Canvas, crop_head
from lipstream.avatar.color_solve import solve_colors
from lipstream.avatar.detector import FaceDetector
from lipstream.avatar.glasses import hold_glasses
from lipstream.avatar.painting import paint
from lipstream.avatar.parting import place_teeth
from lipstream.avatar.photo import Photo
from lipstream.avatar.preflight import Finding, Preflight, Reason, check_faces, head_turn
from lipstream.avatar.quality import (
    FitReport,
    assess,
    check_gate,
    photo_warnings,
    viseme_warnings,
)
from lipstream.errors import BadInput
from lipstream.face.drive import photo_weights
from lipstream.face.model import AvatarModel
from lipstream.face.rig import Rig, build_rig
from lipstream.render import Pose, SplatRenderer

__all__ = ["FitResult", "Progress", "fit_photo", "psnr_db"]

Progress = Callable[[float, str], None]
"""Called with the share of the work done, 0..1, and what is being done."""


@dataclass(frozen=True, slots=True)
class FitResult:
    """An avatar and what is to be said about it."""

    model: AvatarModel
    report: FitReport
    warnings: tuple[Finding, ...]
    preview: NDArray[np.uint8]  # [512, 512, 3] the avatar at rest
    sheet: NDArray[np.uint8]  # [H, W, 3] poses side by side


def fit_photo(photo: Photo, *, progress: Progress | None = None) -> FitResult:
    """Make an avatar of the largest face in a photo.

    Args:
        photo: see `load_photo`.

    Raises:
        BadInput: the photo cannot be used; the code is a `Reason`.
        PoorAvatar: the avatar turned out too bad to be used.
        Unavailable: mediapipe is not installed.
    """
    say = progress or (lambda share, doing: None)
    started = time.perf_counter()
    say(0.0, "Looking for the face")
    with FaceDetector() as detector:
        subject = _look(photo.pixels, detector, say)
        say(0.25, "Building the rig")
        rig = build_rig(subject.landmarks, CANVAS_PX)
        rig = hold_glasses(rig, subject.canvas.pixels, subject.landmarks)
        rig = place_teeth(rig, subject.canvas.pixels, subject.landmarks)
        painted = _paint(subject, rig, say)
        say(0.93, "Looking at the avatar")
        renderer = SplatRenderer(painted.model, CANVAS_PX)
        seen = assess(renderer, detector)
    again = renderer.rgb(Pose(photo_weights(painted.model)))
    pixels, face = subject.canvas.pixels, painted.face
    report = FitReport(
        face_psnr_db=psnr_db(again[face], pixels[face]),
        picture_psnr_db=psnr_db(again, pixels),
        gaussians=len(painted.model.gaussians.triangle_ids),
        vertices=len(painted.model.surface.vertices),
        face_height_px=subject.preflight.face_height_px,
        yaw_deg=subject.preflight.turn.yaw,
        pitch_deg=subject.preflight.turn.pitch,
        sharpness=subject.preflight.sharpness,
        lip_gap_mm=rig.face.lip_gap_mm,
        narrowing=rig.face.narrowing,
        visemes=seen.visemes,
        seconds=time.perf_counter() - started,
    )
    check_gate(report.face_psnr_db, seen.visemes, report.figures(), seen.sheet)
    say(1.0, "Done")
    warnings = (
        *subject.preflight.warnings,
        *photo_warnings(report),
        *viseme_warnings(seen.visemes),
    )
    return FitResult(painted.model, report, warnings, seen.rest, seen.sheet)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What was found in the photo."""

    canvas: Canvas
    preflight: Preflight
    landmarks: NDArray[np.float64]  # [478, 3] canvas pixels
    person: NDArray[np.float32]  # [512, 512] 0..1


@dataclass(frozen=True, slots=True)
class _Painted:
    model: AvatarModel
    face: NDArray[np.bool_]  # [512, 512] the pixels of the face


def _look(pixels: NDArray[np.uint8], detector: FaceDetector, say: Progress) -> _Subject:
    pixels, faces = _upright(pixels, detector)
    preflight = check_faces(pixels, faces)
    canvas = crop_head(pixels, preflight.landmarks_px)
    say(0.15, "Placing landmarks")
    landmarks = detector.refined(canvas.pixels)
    if landmarks is None:
        raise BadInput(
            "The face was lost when it was looked at closely.",
            remedy="Send a clearer photo, seen from the front.",
            code=Reason.NO_FACE.value,
        )
    return _Subject(canvas, preflight, landmarks, detector.person(canvas.pixels))


def _paint(subject: _Subject, rig: Rig, say: Progress) -> _Painted:
    painting = paint(
        subject.canvas.pixels,
        subject.landmarks,
        subject.person,
        rig,
        lambda share, doing: say(0.35 + 0.25 * share, doing),
    )
    say(0.60, "Matching colours")
    model = solve_colors(
        painting.composition,
        painting.image,
        lambda share: say(0.60 + 0.33 * share, "Matching colours"),
    )
    return _Painted(model, painting.regions.face)


def _upright(
    pixels: NDArray[np.uint8], detector: FaceDetector
) -> tuple[NDArray[np.uint8], list[NDArray[np.float64]]]:
    """The picture turned by quarters so that the largest face stands upright, and its faces.

    Scans and cameras without a sense of gravity leave photos on their side.
    """
    faces = detector.faces(pixels)
    if not faces:
        return pixels, faces
    quarters = round(head_turn(faces[0]).roll / 90) % 4
    if quarters == 0:
        return pixels, faces
    turned = np.ascontiguousarray(np.rot90(pixels, quarters))
    return turned, detector.faces(turned)


def psnr_db(picture: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two 8-bit pictures."""
    error = (picture.astype(np.float64) - reference.astype(np.float64)) / 255
    return float(-10 * np.log10(max(float((error**2).mean()), 1e-10)))
