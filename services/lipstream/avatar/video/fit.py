"""From a video of one person to an avatar: a photo's avatar of its most neutral frame, improved
over all frames but those that are held out to judge it by."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.color_solve import solve_colors
from lipstream.avatar.detector import FaceDetector
from lipstream.avatar.fit import Progress
from lipstream.avatar.glasses import hold_glasses
from lipstream.avatar.painting import Painting, paint
from lipstream.avatar.parting import place_teeth
from lipstream.avatar.preflight import Finding, Reason, check_faces
from lipstream.avatar.quality import assess, check_gate, viseme_warnings
from lipstream.avatar.video.alignment import align
from lipstream.avatar.video.appearance import solve_appearance
from lipstream.avatar.video.checkpoint import Checkpoint
from lipstream.avatar.video.footage import Footage, survey
from lipstream.avatar.video.scores import Likeness, likeness
from lipstream.avatar.video.shot import Shot, longest_shot
from lipstream.avatar.video.sitting import Sitting, watch
from lipstream.avatar.video.track import track
from lipstream.errors import BadInput
from lipstream.face.bundle import Source
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Motion
from lipstream.face.rig import Rig, build_rig
from lipstream.render import SplatRenderer

__all__ = ["VideoFit", "fit_video"]

_ALIGNMENT = "alignment"
_MOST_JUDGED = 40
"""Held-out frames that are compared, spread evenly."""


@dataclass(frozen=True, slots=True)
class VideoFit:
    """An avatar from a video, and what is to be said about it."""

    model: AvatarModel
    photo_model: AvatarModel  # the same person from the neutral frame alone
    motion: Motion  # of the frames that were looked at
    sitting: Sitting
    source: Source
    quality: dict[str, float]
    warnings: tuple[Finding, ...]
    preview: NDArray[np.uint8]  # [512, 512, 3] the avatar at rest
    sheet: NDArray[np.uint8]  # [H, W, 3] poses side by side


def fit_video(
    path: Path, *, progress: Progress | None = None, checkpoint: Checkpoint | None = None
) -> VideoFit:
    """Make an avatar of the one person in a video of 3 s to 5 min.

    Args:
        checkpoint: where a fit that is stopped leaves what it has reached, and finds it again.

    Raises:
        BadInput: the video cannot be used; the code says why.
        PoorAvatar: the avatar turned out too bad.
        TooLarge: it is too long, or its pictures are too large.
        Unavailable: mediapipe is not installed.
    """
    say = progress or (lambda share, doing: None)
    kept = checkpoint or Checkpoint()
    started = time.perf_counter()
    say(0.0, "Reading the video")
    footage = survey(path)
    shot = longest_shot(footage)
    with FaceDetector() as detector:
        sitting = watch(
            footage,
            shot,
            detector,
            lambda share: say(0.05 + 0.15 * share, "Looking at the face"),
            kept,
        )
        warnings = _judge(sitting, detector)
        canvas = sitting.canvases[sitting.neutral]
        reference = detector.refined(canvas)
        if reference is None:
            reference = sitting.landmarks[sitting.neutral]
        person = detector.person(canvas)

        say(0.20, "Following the face")
        tracked = track(sitting, reference)

        def painted(rig: Rig, share: float) -> Painting:
            held = hold_glasses(rig, canvas, reference)
            placed = place_teeth(held, canvas, reference)
            return paint(canvas, reference, person, placed, lambda _, doing: say(share, doing))

        alone = painted(build_rig(reference, CANVAS_PX), 0.25)
        photo_model = solve_colors(alone.composition, alone.image)
        motion = _aligned(photo_model, tracked.motion, sitting, say, kept)
        renderer = SplatRenderer(photo_model, CANVAS_PX)
        fitted = np.flatnonzero(~sitting.held_out)
        model = solve_appearance(
            painted(tracked.rig, 0.45).composition,
            sitting.canvases[fitted],
            [renderer.pose(motion, int(k)) for k in fitted],
            lambda share: say(0.45 + 0.45 * share, "Matching all frames"),
            kept,
        )
        say(0.92, "Comparing with what was held out")
        ours, photos = (_on_held_out(m, motion, sitting, detector) for m in (model, photo_model))
        say(0.97, "Looking at the avatar")
        seen = assess(SplatRenderer(model, CANVAS_PX), detector)
    quality = {
        **asdict(ours),
        **{f"photo_{name}": value for name, value in asdict(photos).items()},
        "picture_gain_db": ours.picture_psnr_db - photos.picture_psnr_db,
        "face_gain_db": ours.face_psnr_db - photos.face_psnr_db,
        "gaussians": len(model.gaussians.triangle_ids),
        "vertices": len(model.surface.vertices),
        "frames": len(sitting.times_s),
        "frames_held_out": int(sitting.held_out.sum()),
        "length_s": shot.length_s,
        "seconds": time.perf_counter() - started,
        **seen.visemes.figures(),
    }
    check_gate(ours.face_psnr_db, seen.visemes, quality, seen.sheet)
    say(1.0, "Done")
    return VideoFit(
        model=model,
        photo_model=photo_model,
        motion=motion,
        sitting=sitting,
        source=Source("video", footage.sha256, *shot.size_px),
        quality=quality,
        warnings=(*warnings, *_about(footage, shot), *viseme_warnings(seen.visemes)),
        preview=seen.rest,
        sheet=seen.sheet,
    )


def _judge(sitting: Sitting, detector: FaceDetector) -> tuple[Finding, ...]:
    """What a photo would be warned of, or refused for, of the frame that is painted from."""
    pixels = sitting.neutral_frame
    try:
        return check_faces(pixels, detector.faces(pixels)).warnings
    except BadInput as error:
        raise BadInput(
            f"Even the best frame of the video cannot be used: {error.message}",
            remedy="Send a video of one person who looks straight into the camera, near to it, "
            "in even light, eyes and mouth free.",
            code=error.code,
        ) from None


def _aligned(
    model: AvatarModel, motion: Motion, sitting: Sitting, say: Progress, kept: Checkpoint
) -> Motion:
    reached = kept.load(_ALIGNMENT)
    if reached is not None and len(reached["rotation"]) == len(motion):
        rotation, translation = (
            reached[key].astype(np.float32) for key in ("rotation", "translation")
        )
        return replace(motion, rotation=rotation, translation=translation)
    aligned = align(
        model,
        motion,
        sitting.canvases,
        lambda share: say(0.30 + 0.15 * share, "Following the head"),
    )
    kept.save(_ALIGNMENT, rotation=aligned.rotation, translation=aligned.translation)
    return aligned


def _on_held_out(
    model: AvatarModel, motion: Motion, sitting: Sitting, detector: FaceDetector
) -> Likeness:
    held_out = np.flatnonzero(sitting.held_out)
    few = np.unique(np.linspace(0, len(held_out) - 1, _MOST_JUDGED).round().astype(int))
    return likeness(
        model,
        motion,
        sitting.canvases,
        sitting.landmarks,
        [int(k) for k in held_out[few]],
        detector,
    )


def _about(footage: Footage, shot: Shot) -> list[Finding]:
    notes = []
    if shot.of_several:
        notes.append(
            Finding(
                Reason.SEVERAL_SHOTS,
                f"The video has cuts or changes its size; its longest shot, {shot.length_s:.1f} s, "
                "was used.",
                "For more of it send one shot, in one size.",
            )
        )
    if footage.ended_early:
        notes.append(
            Finding(
                Reason.DAMAGED,
                "The video is damaged; what comes before was used.",
                "Send the file again, or one that plays to its end.",
            )
        )
    return notes
