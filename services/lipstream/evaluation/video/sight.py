"""What is seen of one clip, in the terms in which motion is scored, and what was really said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.evaluation.lip_track import RATE_HZ, LipTrack
from lipstream.evaluation.utterance import Utterance
from lipstream.evaluation.video.mouth import Mouth
from lipstream.face.motion import Floats, Motion
from lipstream.motion.phones import SILENCE

__all__ = ["SHUT_APERTURE", "SHUT_FLOOR_MM", "SHUT_SHARE", "Sight"]

SHUT_APERTURE = 0.05
"""Of a `LipTrack`: the opening below which lips count as shut in `lipstream.evaluation.lips`."""
SHUT_SHARE = 1 / 8
"""Lips count as shut below this share of the speaker's own wide opening, the 90th percentile of
the gap while the clip's speech lasts. The rule-derived mouth opens to 0.4 by that measure and
counts as shut below 0.05, so the share is the same for motion, people and avatars."""
SHUT_FLOOR_MM = 0.6
"""Yet never below this: shut lips of real faces are seen up to 0.5 mm apart, 44 to 55 pixels
between the eyes. Without it, who hardly opens the mouth could never shut it."""
_WIDE = 90


@dataclass(frozen=True, slots=True)
class Sight:
    """One clip as it was seen."""

    speech: Utterance
    """What the clip says, with its phones."""
    lips: LipTrack
    lower_lip: Floats  # [T] at 100 Hz: height of its red, any unit, low where teeth hold it
    fps: float
    eye_distance_px: float = float("nan")
    shut_mm: float = float("nan")
    seen_share: float = 1.0

    @property
    def name(self) -> str:
        return self.speech.name

    @property
    def gap_mm(self) -> Floats:
        """`# [T]` at 100 Hz; NaN where no millimetres are known."""
        return self.lips.aperture * np.float32(self.shut_mm / SHUT_APERTURE)

    @classmethod
    def of_video(cls, mouth: Mouth, speech: Utterance) -> Self:
        """
        Raises:
            BadInput: none of the speech lies within the video.
        """
        gap_mm, width_mm, jaw_mm, lower_lip_mm = (
            mouth.sampled(curve)
            for curve in (mouth.gap_mm, mouth.width_mm, mouth.jaw_mm, mouth.lower_lip_mm)
        )
        spoken = _spoken(speech, len(gap_mm))
        if spoken.stop - spoken.start < 2:
            raise BadInput("None of the labelled speech lies within the pictures of the video.")
        shut_mm = max(SHUT_SHARE * float(np.percentile(gap_mm[spoken], _WIDE)), SHUT_FLOOR_MM)
        lips = LipTrack(
            _floats(SHUT_APERTURE * gap_mm / shut_mm),
            _floats(jaw_mm - np.median(jaw_mm[spoken])),
            _floats(width_mm / np.median(width_mm[spoken]) - 1),
            *np.zeros((2, len(gap_mm)), np.float32),  # not to be seen from outside
        )
        return cls(
            speech,
            lips,
            _floats(lower_lip_mm),
            mouth.fps,
            mouth.eye_distance_px,
            shut_mm,
            mouth.seen_share,
        )

    @classmethod
    def of_motion(cls, motion: Motion, speech: Utterance) -> Self:
        """What the blendshapes say, to set beside what is seen of them."""
        lips = LipTrack.from_motion(motion)
        return cls(speech, lips, 1 - lips.tuck, motion.fps)


def _spoken(speech: Utterance, count: int) -> slice:
    """From the first phone to the last, in steps of 10 ms."""
    phones = [segment for segment in speech.segments if segment.symbol != SILENCE]
    if not phones:
        raise BadInput("The labels hold no speech.")
    first = min(max(int(phones[0].start_s * RATE_HZ), 0), count)
    return slice(first, min(max(int(phones[-1].end_s * RATE_HZ), first), count))


def _floats(values: NDArray[np.float64]) -> Floats:
    return values.astype(np.float32)
