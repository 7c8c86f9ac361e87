"""A quick look at a photo or a video, without a fit: can it be used?"""

from __future__ import annotations

from pathlib import Path

from lipstream.avatar.detector import FaceDetector
from lipstream.avatar.preflight import Finding, check_faces
from lipstream.avatar.video.gate import decode_bounded
from lipstream.runtime.bounded import BoundedCalls

__all__ = ["inspect_source"]


def inspect_source(path: Path, decoder: BoundedCalls) -> tuple[Finding, ...]:
    """What is not ideal about a photo that can be used; of a video, only whether it can be read.

    Raises:
        BadInput: it cannot be used; the code says why.
    """
    pixels = decode_bounded(decoder, path)
    if pixels is None:
        return ()
    with FaceDetector() as detector:
        return check_faces(pixels, detector.faces(pixels)).warnings
