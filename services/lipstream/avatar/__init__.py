"""From a photo to an avatar: landmarks, rig, painted Gaussians, bundle."""

from lipstream.avatar.bundling import bundle_fit
from lipstream.avatar.fit import FitResult, Progress, fit_photo
from lipstream.avatar.photo import Photo, load_photo
from lipstream.avatar.preflight import Finding, Reason
from lipstream.avatar.quality import FitReport, PoorAvatar

__all__ = [
    "Finding",
    "FitReport",
    "FitResult",
    "Photo",
    "PoorAvatar",
    "Progress",
    "Reason",
    "bundle_fit",
    "fit_photo",
    "load_photo",
]
