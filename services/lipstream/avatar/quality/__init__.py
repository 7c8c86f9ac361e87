"""Is the avatar any good: it is drawn, looked at again, and refused if it does not do as told."""

from lipstream.avatar.quality.assessment import Assessment, assess
from lipstream.avatar.quality.gate import PoorAvatar, check_gate, photo_warnings, viseme_warnings
from lipstream.avatar.quality.report import FitReport
from lipstream.avatar.quality.sheet import PREVIEW_CELLS, Cell, compose_sheet, draw_cell
from lipstream.avatar.quality.viseme_check import (
    MOUTHS,
    REST,
    MouthCheck,
    VisemeCheck,
    check_visemes,
)

__all__ = [
    "MOUTHS",
    "PREVIEW_CELLS",
    "REST",
    "Assessment",
    "Cell",
    "FitReport",
    "MouthCheck",
    "PoorAvatar",
    "VisemeCheck",
    "assess",
    "check_gate",
    "check_visemes",
    "compose_sheet",
    "draw_cell",
    "photo_warnings",
    "viseme_warnings",
]
