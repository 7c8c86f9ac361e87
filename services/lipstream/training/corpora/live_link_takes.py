"""Takes of the Live Link Face app, or any Live Link CSV with audio of the same name beside it.

The app leaves a folder a take: `<date>_<slate>_<n>/<slate>_<n>_iPhone.csv` with the video, whose
audio is used, as `.mov`; where a neutral face was calibrated, `..._cal.csv` holds the corrected
curves, which are preferred, and `..._raw.csv`, `..._neutral.csv` the others. The subject is the
first folder below the corpus that holds more than one take, else the corpus itself.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np

from lipstream.errors import BadInput, LipstreamError
from lipstream.face.live_link import read_live_link
from lipstream.face.motion import Floats, Motion
from lipstream.training.corpora.clip_audio import find_audio, read_audio
from lipstream.training.corpora.motion_clip import ClipInfo, MotionClip, MotionCorpus, MotionSpace

__all__ = ["is_live_link", "open_live_link"]

_SPACE = MotionSpace.arkit()
_HEADER = "timecode,blendshapecount"
_VARIANT = re.compile(r"(.*?)(_cal|_raw|_neutral)?", re.DOTALL)


def is_live_link(path: Path) -> bool:
    """Whether a file begins as a Live Link CSV does."""
    with path.open("rb") as file:
        head = file.read(64)
    return head.decode("utf-8-sig", "replace").lower().replace(" ", "").startswith(_HEADER)


def open_live_link(folder: Path, fps: float | None = None) -> MotionCorpus:
    """All takes in a folder and the folders below.

    Args:
        fps: their rate; by default told from the timecodes.

    Raises:
        BadInput: there are none with audio.
    """
    clips, notes, files = [], [], {}
    takes = _takes(folder)
    for csv_path, audio in takes:
        name = str(csv_path.relative_to(folder).with_suffix(""))
        if audio is None:
            notes.append(f"{name} has no audio or video of the same name and is left out.")
            continue
        try:
            motion = read_live_link(csv_path, fps=fps)
        except LipstreamError as error:
            notes.append(f"{name} is left out: {error}")
            continue
        subject = _subject(csv_path, folder, takes)
        clips.append(ClipInfo(name, subject, len(motion), motion.fps))
        files[name] = (csv_path, audio)
    if not clips:
        raise BadInput(
            f"{folder} holds no Live Link CSV with audio. {' '.join(notes[:3])}".strip(),
            remedy="Put the audio or video of each take beside its CSV, with the same name.",
        )

    def load(clip: ClipInfo) -> MotionClip:
        csv_path, audio = files[clip.name]
        motion = as_frames(read_live_link(csv_path, fps=clip.fps))
        return MotionClip(clip.name, clip.subject, _SPACE, motion, clip.fps, read_audio(audio))

    return MotionCorpus("Live Link Face", _SPACE, tuple(clips), load, tuple(notes))


def as_frames(motion: Motion) -> Floats:
    """The arrays of a motion side by side, as `MotionSpace.arkit` orders them. `# [T, 62]`"""
    return np.concatenate(
        [motion.blendshapes, motion.rotation, motion.translation, motion.gaze], axis=1
    )


def _takes(folder: Path) -> list[tuple[Path, Path | None]]:
    """One CSV of each take, the calibrated one if there is one, and its audio."""
    chosen: dict[Path, Path] = {}
    for path in sorted(folder.rglob("*.csv")):
        variant = _VARIANT.fullmatch(path.stem)
        if variant is None or variant[2] == "_neutral" or not is_live_link(path):
            continue
        take = path.with_name(variant[1])
        rank = {"_cal": 0, None: 1, "_raw": 2}
        known = _VARIANT.fullmatch(chosen[take].stem) if take in chosen else None
        if known is None or rank[variant[2]] < rank[known[2]]:
            chosen[take] = path
    return [
        (path, find_audio(path.parent, [path.stem, take.name])) for take, path in chosen.items()
    ]


def _subject(path: Path, folder: Path, takes: list[tuple[Path, Path | None]]) -> str:
    below = Counter(parent for take, _ in takes for parent in take.relative_to(folder).parents)
    for parent in reversed(path.relative_to(folder).parents[:-1]):
        if below[parent] > 1:
            return parent.name
    return folder.resolve().name
