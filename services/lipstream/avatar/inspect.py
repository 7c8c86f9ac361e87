"""A quick look at a photo or a video, without a fit: can it be used?"""

from __future__ import annotations

from pathlib import Path

from lipstream.avatar.detector import FaceDetector
from lipstream.avatar.photo import load_photo
from lipstream.avatar.preflight import Finding, check_faces
from lipstream.avatar.video.footage import check_video, is_video

__all__ = ["inspect_source"]


def inspect_source(path: Path) -> tuple[Finding, ...]:
    """What is not ideal about a photo that can be used; of a video, only whether it can be read.

    Raises:
        BadInput: it cannot be used; the code says why.
    """
    if is_video(path):
        check_video(path)
        return ()
    picture = load_photo(path)
    with FaceDetector() as detector:
        return check_faces(picture.pixels, detector.faces(picture.pixels)).warnings
