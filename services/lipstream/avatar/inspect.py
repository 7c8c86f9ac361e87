"""A quick look at a photo, without a fit: can it be used?"""

from __future__ import annotations

from lipstream.avatar.detector import FaceDetector
from lipstream.avatar.photo import load_photo
from lipstream.avatar.preflight import Finding, check_faces

__all__ = ["inspect_photo"]


def inspect_photo(photo: bytes) -> tuple[Finding, ...]:
    """What is not ideal about a photo that can be used.

    Raises:
        BadInput: it cannot be used; the code says why.
    """
    picture = load_photo(photo)
    with FaceDetector() as detector:
        return check_faces(picture.pixels, detector.faces(picture.pixels)).warnings
