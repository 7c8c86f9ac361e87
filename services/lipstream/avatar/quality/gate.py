"""Below what an avatar is refused, and what is said about one that is let through.

The thresholds lie between what good avatars do and what broken ones do: see the table in
docs/avatar-quality.md. They judge only what a viewer cannot overlook; the rest are warnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.preflight import Finding, Reason
from lipstream.avatar.quality.report import FitReport
from lipstream.avatar.quality.viseme_check import BLINK, REST, VisemeCheck
from lipstream.errors import BadInput

__all__ = ["PoorAvatar", "check_gate", "photo_warnings", "viseme_warnings"]

LEAST_FACE_PSNR_DB = 25.0
"""Below, the face at the photo's own coefficients is not that of the photo."""
MOST_LIPS_OFFSET_MM = {REST: 4.0, "IY": 3.0}
"""Lips that are seen further from where the rig has them are not the lips that it moves. At IY,
where lips that are there show best, hidden ones are told from them."""
LEAST_OPENING = 0.5
"""Of the commanded gap at AA."""
MOST_CLOSED_GAP_MM = 3.0
"""At M: lips that are seen further apart do not meet."""
LEAST_ROUNDING_MM = 0.0
"""By which IY is wider than UW."""

_PARTED_MM = 4.0
_BROAD_SMILE = 0.85
_WEAK_VISEME_MM = 6.0
_WEAK_BLINK = 0.7
"""Of the opening at rest. Landmarks lag behind lids: eyes that are shut are seen up to 0.6 open."""


class PoorAvatar(BadInput):
    """A fit that ended below the gate.

    Attributes:
        figures: its report.
        sheet: `# [H, W, 3]`, its poses side by side.
    """

    code = "poor_avatar"
    title = "The avatar is not good enough"

    def __init__(
        self, faults: list[str], figures: Mapping[str, float], sheet: NDArray[np.uint8]
    ) -> None:
        super().__init__(
            f"The avatar is not good enough: {'; '.join(faults)}.",
            remedy="Send a photo from the front that shows the whole face, nothing before the "
            "mouth, lips closed, in even light.",
            figures=figures,
        )
        self.sheet = sheet


def check_gate(
    face_psnr_db: float,
    seen: VisemeCheck,
    figures: Mapping[str, float],
    sheet: NDArray[np.uint8],
) -> None:
    """
    Args:
        face_psnr_db: of the face in the pictures that the avatar was made to be like.
        figures: the whole report, to go with a refusal; `sheet` as well.

    Raises:
        PoorAvatar: the avatar is not to be used.
    """
    faults = []
    if face_psnr_db < LEAST_FACE_PSNR_DB:
        faults.append(
            f"its face is {face_psnr_db:.1f} dB from the photo's, "
            f"{LEAST_FACE_PSNR_DB:.0f} are needed"
        )
    faults.extend(_viseme_faults(seen))
    if faults:
        raise PoorAvatar(faults, figures, sheet)


def _viseme_faults(seen: VisemeCheck) -> Iterator[str]:
    mouths = seen.mouths
    if unseen := [name for name in seen.unseen if name != BLINK]:
        yield f"no face is seen in its {', '.join(unseen)}"
    for name, most_mm in MOST_LIPS_OFFSET_MM.items():
        if name in mouths and mouths[name].lips_offset_mm > most_mm:
            yield (
                f"at {name} its lips are seen {mouths[name].lips_offset_mm:.1f} mm from where they "
                f"were placed, {most_mm:g} are allowed"
            )
    if (wide := mouths.get("AA")) and (
        wide.gap_detected_mm < LEAST_OPENING * wide.gap_commanded_mm
    ):
        yield (
            f"at AA its mouth opens {wide.gap_detected_mm:.1f} mm "
            f"instead of {wide.gap_commanded_mm:.1f}"
        )
    if (shut := mouths.get("M")) and shut.gap_detected_mm > MOST_CLOSED_GAP_MM:
        yield f"at M its lips stay {shut.gap_detected_mm:.1f} mm apart"
    if "IY" in mouths and "UW" in mouths:
        rounding = mouths["IY"].width_detected_mm - mouths["UW"].width_detected_mm
        if rounding < LEAST_ROUNDING_MM:
            yield f"its UW is {-rounding:.1f} mm wider than its IY"


def photo_warnings(report: FitReport) -> Iterator[Finding]:
    """What the photo's expression makes harder, each with a remedy."""
    if report.lip_gap_mm > _PARTED_MM:
        yield Finding(
            Reason.MOUTH_OPEN,
            "The mouth is open in the photo: lips and teeth are partly guessed.",
            "Use a photo with closed lips.",
        )
    if report.narrowing < _BROAD_SMILE:
        yield Finding(
            Reason.SMILE,
            "The photo shows a broad smile: rounded vowels will look weaker.",
            "Use a neutral photo.",
        )


def viseme_warnings(seen: VisemeCheck) -> Iterator[Finding]:
    """What is not ideal about an avatar that may be used, each with a remedy."""
    weak = [
        f"{name} by {mouth.error_mm:.0f} mm"
        for name, mouth in seen.mouths.items()
        if name != REST and mouth.error_mm > _WEAK_VISEME_MM
    ]
    if weak:
        yield Finding(
            Reason.WEAK_VISEMES,
            f"Some mouth shapes are seen to differ from what is asked: {', '.join(weak)}.",
            "Use a neutral photo, from the front, in even light, lips not hidden by a beard.",
        )
    open_mm, shut_mm = seen.eye_open_mm, seen.eye_shut_mm
    if open_mm is not None and shut_mm is not None and shut_mm > _WEAK_BLINK * open_mm:
        yield Finding(
            Reason.WEAK_BLINK,
            "The eyes are not seen to close in a blink.",
            "Use a photo without glasses and with open eyes.",
        )
