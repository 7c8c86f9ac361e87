"""The report that a fit ends with."""

from __future__ import annotations

from dataclasses import dataclass, fields

from lipstream.avatar.quality.viseme_check import VisemeCheck

__all__ = ["FitReport"]


@dataclass(frozen=True, slots=True)
class FitReport:
    """How well the avatar gives back its photo and its rig, and what the photo was like."""

    face_psnr_db: float
    picture_psnr_db: float
    gaussians: int
    vertices: int
    face_height_px: float  # in the photo
    yaw_deg: float
    pitch_deg: float
    sharpness: float
    lip_gap_mm: float
    narrowing: float  # of the mouth at rest over the photo's; a broad smile is far below 1
    visemes: VisemeCheck
    seconds: float

    def figures(self) -> dict[str, float]:
        """As flat numbers, names with their units, for a bundle's papers."""
        own = {
            name: float(getattr(self, name))
            for name in (field.name for field in fields(self))
            if name != "visemes"
        }
        return {name: round(value, 3) for name, value in (own | self.visemes.figures()).items()}
