"""From a photo to an avatar: landmarks, rig, painted Gaussians, bundle."""

from lipstream.avatar.bundling import bundle_fit
from lipstream.avatar.fit import FitReport, FitResult, Progress, fit_photo
from lipstream.avatar.photo import Photo, load_photo
from lipstream.avatar.preflight import Finding, Reason

__all__ = [
    "Finding",
    "FitReport",
    "FitResult",
    "Photo",
    "Progress",
    "Reason",
    "bundle_fit",
    "fit_photo",
    "load_photo",
]
