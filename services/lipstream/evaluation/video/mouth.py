"""The mouth that is seen in a video, measured in millimetres."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.evaluation.lip_track import RATE_HZ
from lipstream.evaluation.video.pictures import Picture
from lipstream.face.landmarks import CHIN, LOWER_LIP, NOSE_BRIDGE, Ring
from lipstream.face.openings import MIDDLE, lip_gaps, mouth_widths
from lipstream.face.steady import eye_distance_px, steady

__all__ = ["Mouth", "Seer", "watch"]

Doubles = NDArray[np.float64]

_FEWEST_FRAMES = 10
_LEAST_SEEN = 0.8
_LEAST_EYE_DISTANCE_PX = 16.0


class Seer(Protocol):
    """Finds landmarks, as `lipstream.avatar.detector.FaceDetector` does."""

    def landmarks(self, picture: NDArray[np.uint8]) -> Doubles | None:
        """`# [478, 3]` in pixels of the face that stands out most in `# [H, W, 3]`."""
        ...


@dataclass(frozen=True, slots=True)
class Mouth:
    """Curves over the frames of one video, in order, with nothing smoothed."""

    times_s: Doubles  # [T] on the sound's clock
    gap_mm: Doubles  # [T] between the inner edges of the lips, mean of three pairs
    width_mm: Doubles  # [T] from corner to corner
    jaw_mm: Doubles  # [T] from the ridge of the nose down to the chin
    lower_lip_mm: Doubles  # [T] height of the red of the lower lip: low where teeth hold it
    eye_distance_px: float
    """How large the face is: one pixel is `63 / eye_distance_px` mm."""
    seen_share: float = 1.0
    """Of the frames of the video, those with a face."""

    @classmethod
    def from_landmarks(
        cls,
        landmarks: Doubles,  # [T, 478, 2+] pixels
        times_s: Doubles,  # [T]
        seen_share: float = 1.0,
    ) -> Self:
        points = steady(landmarks)
        lower = points[:, list(LOWER_LIP[Ring.INNER][MIDDLE]), 1]
        edge = points[:, list(LOWER_LIP[Ring.BORDER][MIDDLE]), 1]
        return cls(
            times_s,
            lip_gaps(points),
            mouth_widths(points),
            points[:, CHIN, 1] - points[:, NOSE_BRIDGE, 1],
            (edge - lower).mean(1),
            eye_distance_px(landmarks),
            seen_share,
        )

    @property
    def fps(self) -> float:
        """By the median time between frames."""
        return float(1 / np.median(np.diff(self.times_s)))

    def sampled(self, curve: Doubles) -> Doubles:  # [T] -> [T100]
        """A curve at 100 Hz from the first sample of the sound on, straight between frames."""
        count = max(round((self.times_s[-1] + 1 / self.fps) * RATE_HZ), 0)
        return np.interp(np.arange(count) / RATE_HZ, self.times_s, curve)


def watch(frames: Iterable[Picture], seer: Seer) -> Mouth:
    """Find the mouth in every frame.

    Raises:
        BadInput: too few frames, no face in a fifth of them, or a face that is too small.
    """
    times_s, found, total = [], [], 0
    for picture in frames:
        total += 1
        landmarks = seer.landmarks(picture.pixels)
        if landmarks is not None:
            times_s.append(picture.time_s)
            found.append(landmarks)
    if not found:
        raise BadInput("No face was found in the video.", code="no_face")
    if len(found) < _LEAST_SEEN * total:
        raise BadInput(f"A face is seen in only {len(found)} of {total} frames.", code="no_face")
    if len(found) < _FEWEST_FRAMES:
        raise BadInput(f"The video has only {len(found)} frames; {_FEWEST_FRAMES} are needed.")
    mouth = Mouth.from_landmarks(np.array(found), np.array(times_s), len(found) / total)
    if mouth.eye_distance_px < _LEAST_EYE_DISTANCE_PX:
        raise BadInput(
            f"The face is too small: {mouth.eye_distance_px:.0f} pixels between the eyes, "
            f"{_LEAST_EYE_DISTANCE_PX:.0f} are needed.",
            code="too_small",
        )
    return mouth
