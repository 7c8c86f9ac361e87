"""From one photo to an avatar."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX, crop_head
from lipstream.avatar.color_solve import solve_colors
from lipstream.avatar.compose import compose
from lipstream.avatar.detector import FaceDetector
from lipstream.avatar.layer import Layer
from lipstream.avatar.layers import (
    PhotoScene,
    backing_layer,
    eye_layer,
    hair_layer,
    jaw_layer,
    lip_layer,
    mouth_layers,
    rim_layer,
    skin_layer,
)
from lipstream.avatar.matte import cut_out_head, refine_edge
from lipstream.avatar.photo import Photo
from lipstream.avatar.plate import paint_plate
from lipstream.avatar.preflight import Finding, Preflight, Reason, check_faces, head_turn
from lipstream.avatar.regions import find_regions
from lipstream.avatar.relief import hair_relief
from lipstream.avatar.stage import pose_surface
from lipstream.errors import BadInput
from lipstream.face.drive import photo_weights
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Motion
from lipstream.face.rig import build_rig
from lipstream.render import Pose, SplatRenderer

__all__ = ["FitReport", "FitResult", "Progress", "fit_photo", "psnr_db"]

Progress = Callable[[float, str], None]
"""Called with the share of the work done, 0..1, and what is being done."""

_PARTED_MM = 4.0


@dataclass(frozen=True, slots=True)
class FitReport:
    """How well the avatar gives back its photo, and what the photo was like."""

    face_psnr_db: float
    picture_psnr_db: float
    gaussians: int
    vertices: int
    face_height_px: float  # in the photo
    yaw_deg: float
    pitch_deg: float
    sharpness: float
    lip_gap_mm: float
    seconds: float


@dataclass(frozen=True, slots=True)
class FitResult:
    """An avatar and what is to be said about it."""

    model: AvatarModel
    report: FitReport
    warnings: tuple[Finding, ...]
    preview: NDArray[np.uint8]  # [512, 512, 3] the avatar at rest


def fit_photo(photo: Photo, *, progress: Progress | None = None) -> FitResult:
    """Make an avatar of the largest face in a photo.

    Args:
        photo: see `load_photo`.

    Raises:
        BadInput: the photo cannot be used; the code is a `Reason`.
        Unavailable: mediapipe is not installed.
    """
    say = progress or (lambda share, doing: None)
    started = time.perf_counter()
    say(0.0, "Looking for the face")
    with FaceDetector() as detector:
        pixels, faces = _upright(photo.pixels, detector)
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
        person = detector.person(canvas.pixels)

    say(0.25, "Building the rig")
    rig = build_rig(landmarks, CANVAS_PX)
    say(0.35, "Cutting out the head")
    image = canvas.pixels.astype(np.float64) / 255
    regions = find_regions(rig, landmarks, person)
    matte = cut_out_head(canvas.pixels, regions)
    plate = paint_plate(image, regions, matte)
    head_colors = PhotoScene.spread_head(image, regions, matte)
    matte = refine_edge(matte, image, head_colors, plate.image)
    stage = pose_surface(rig, (*rig.parts, hair_relief(rig, regions, matte)))
    say(0.50, "Painting")
    scene = PhotoScene(image, rig, regions, matte, plate, stage, head_colors)
    composition = compose(stage, _layers(scene), plate)
    say(0.60, "Matching colours")
    model = solve_colors(
        composition, image, lambda share: say(0.60 + 0.35 * share, "Matching colours")
    )

    renderer = SplatRenderer(model, CANVAS_PX)
    again = renderer.rgb(Pose(photo_weights(model))).copy()
    preview = renderer.rgb(renderer.pose(Motion.rest(1))).copy()
    say(1.0, "Done")
    report = FitReport(
        face_psnr_db=psnr_db(again[regions.face], canvas.pixels[regions.face]),
        picture_psnr_db=psnr_db(again, canvas.pixels),
        gaussians=len(model.gaussians.triangle_ids),
        vertices=len(model.surface.vertices),
        face_height_px=preflight.face_height_px,
        yaw_deg=preflight.turn.yaw,
        pitch_deg=preflight.turn.pitch,
        sharpness=preflight.sharpness,
        lip_gap_mm=rig.face.lip_gap_mm,
        seconds=time.perf_counter() - started,
    )
    return FitResult(model, report, _warnings(preflight, rig.face.lip_gap_mm), preview)


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


def _layers(scene: PhotoScene) -> list[Layer]:
    return [
        skin_layer(scene),
        rim_layer(scene),
        hair_layer(scene),
        lip_layer(scene),
        backing_layer(scene),
        jaw_layer(scene),
        *mouth_layers(scene),
        eye_layer(scene, "Right"),
        eye_layer(scene, "Left"),
    ]


def _warnings(preflight: Preflight, lip_gap_mm: float) -> tuple[Finding, ...]:
    if lip_gap_mm <= _PARTED_MM:
        return preflight.warnings
    parted = Finding(
        Reason.MOUTH_OPEN,
        "The mouth is open in the photo; one with closed lips gives a better avatar.",
    )
    return (*preflight.warnings, parted)
