"""From a fit to the bundle that is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lipstream.avatar.photo import Photo
from lipstream.avatar.preflight import Finding
from lipstream.face.bundle import AvatarBundle, Consent, Note, Source, new_bundle

if TYPE_CHECKING:
    from lipstream.avatar.fit import FitResult
    from lipstream.avatar.video.fit import VideoFit

__all__ = ["as_note", "bundle_fit", "bundle_video"]


def bundle_fit(
    name: str,
    photo: Photo,
    fit: FitResult,
    *,
    consent: Consent | None = None,
    license: str = "",
) -> AvatarBundle:
    """Put a fitted avatar's papers together.

    Raises:
        BadInput: the name is not a slug.
    """
    return new_bundle(
        name,
        fit.model,
        fit.preview,
        Source("photo", photo.sha256, photo.width_px, photo.height_px),
        sheet=fit.sheet,
        consent=consent,
        license=license,
        quality=fit.report.figures(),
        warnings=[as_note(finding) for finding in fit.warnings],
    )


def bundle_video(
    name: str, fit: VideoFit, *, consent: Consent | None = None, license: str = ""
) -> AvatarBundle:
    """The same of an avatar from a video; its quality is that of held-out frames.

    Raises:
        BadInput: the name is not a slug.
    """
    return new_bundle(
        name,
        fit.model,
        fit.preview,
        fit.source,
        consent=consent,
        license=license,
        quality={key: round(float(value), 3) for key, value in fit.quality.items()},
        warnings=[as_note(finding) for finding in fit.warnings],
        sheet=fit.sheet,
    )


def as_note(finding: Finding) -> Note:
    """As a bundle's papers hold it."""
    return Note(finding.reason.value, finding.message, finding.remedy)
