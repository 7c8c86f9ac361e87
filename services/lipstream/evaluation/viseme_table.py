"""What a rig commands and what is seen of it: the mouth of avatars, viseme by viseme, in mm.

python -m lipstream.evaluation.viseme_table PHOTO...
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar import fit_photo, load_photo
from lipstream.avatar.detector import FaceDetector
from lipstream.evaluation.video.mouth import Mouth
from lipstream.face.landmarks import MESH_COUNT
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Motion
from lipstream.face.visemes import VISEMES, blendshape_vector
from lipstream.render import Pose, SplatRenderer
from lipstream.render.reference import camera_vertices

__all__ = ["CHECKED", "SeenMouth", "look_at_visemes"]

CHECKED = ("AA", "IY", "UW", "OW", "M", "FV")
_SIZE_PX = 512


@dataclass(frozen=True, slots=True)
class SeenMouth:
    """One viseme of one avatar. Millimetres, eyes 63 mm apart."""

    gap_commanded: float
    gap_seen: float
    width_commanded: float  # from outer corner to outer corner
    width_seen: float


def look_at_visemes(model: AvatarModel, detector: FaceDetector) -> dict[str, SeenMouth | None]:
    """Draw each viseme and find the landmarks on the picture; None where no face is found."""
    renderer = SplatRenderer(model, _SIZE_PX)
    seen: dict[str, SeenMouth | None] = {}
    for name in CHECKED:
        pose = renderer.pose(_motion(name))
        found = detector.refined(renderer.rgb(pose))
        seen[name] = None
        if found is not None:
            commanded = _landmarks(model, pose)
            told, looked = (_mouth(points) for points in (commanded, found))
            seen[name] = SeenMouth(
                float(told.gap_mm[0]),
                float(looked.gap_mm[0]),
                float(told.width_mm[0]),
                float(looked.width_mm[0]),
            )
    return seen


def _motion(viseme: str) -> Motion:
    return Motion(
        blendshape_vector(VISEMES[viseme])[None],
        np.zeros((1, 3), np.float32),
        np.zeros((1, 3), np.float32),
        np.zeros((1, 4), np.float32),
    )


def _landmarks(model: AvatarModel, pose: Pose) -> NDArray[np.float64]:  # [468, 2] px
    vertices = camera_vertices(model, pose)[:MESH_COUNT]
    return np.asarray((model.focal * vertices[:, :2] / vertices[:, 2:] + 0.5) * _SIZE_PX)


def _mouth(landmarks: NDArray[np.float64]) -> Mouth:
    # Each picture is measured alone: the millimetres come from its own eyes.
    return Mouth.from_landmarks(landmarks[None], np.zeros(1))


def _cell(mouth: SeenMouth | None) -> str:
    if mouth is None:
        return "not seen"
    return (
        f"{mouth.gap_commanded:.1f} → {mouth.gap_seen:.1f}, "
        f"{mouth.width_commanded:.1f} → {mouth.width_seen:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, nargs="+")
    print("| photo | PSNR, dB | " + " | ".join(CHECKED) + " |")
    print("|---" * (2 + len(CHECKED)) + "|")
    with FaceDetector() as detector:
        for path in parser.parse_args().photos:
            fit = fit_photo(load_photo(path))
            cells = [_cell(mouth) for mouth in look_at_visemes(fit.model, detector).values()]
            row = (path.stem, f"{fit.report.face_psnr_db:.1f}", *cells)
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
