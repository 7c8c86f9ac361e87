"""FLAME sequences in folders: DiffPoseTalk's tree, ARTalk's list, or files beside their audio.

- DiffPoseTalk before packing: `FLAME_coeffs/<person>/<video>.npz` (`shape`, `exp`, `pose`) and
  `audio/<person>/<video>.flac`.
- ARTalk: `metadata.json`, a list of `{"audio_path", "motion_path"}` relative to the folder, with
  motions (T, 106) as `.npy` or `.pt`.
- Otherwise every `.npz` of FLAME arrays, and every `.npy` or `.pt` (T, 106), that has audio of the
  same name beside it (also without ARTalk's ending `_motions`).

All are at 25 fps unless an array `fps` or the caller says otherwise. The subject is the folder of
the file, below the one that holds all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from lipstream.errors import BadInput, LipstreamError
from lipstream.training.corpora.array_file import (
    map_array,
    read_arrays,
    read_number,
    read_tensor,
    shapes_of,
)
from lipstream.training.corpora.clip_audio import find_audio, read_audio
from lipstream.training.corpora.flame_sequence import ARTALK_WIDTH, FlameSequence, flame_frames
from lipstream.training.corpora.motion_clip import ClipInfo, MotionClip, MotionCorpus, MotionSpace

__all__ = ["COEFFICIENTS_FOLDER", "LIST_FILE", "open_flame_folder"]

COEFFICIENTS_FOLDER = "FLAME_coeffs"
LIST_FILE = "metadata.json"
_FPS = 25.0
_MAX_LIST_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class _Take:
    name: str
    subject: str
    motion: Path
    audio: Path | None


def open_flame_folder(folder: Path, fps: float | None = None) -> MotionCorpus:
    """The corpus in such a folder.

    Files that are no FLAME sequence, or lack audio, are left out with a note; so are those with
    another number of expressions than the first.

    Raises:
        BadInput: there is none that can be used.
    """
    if (folder / COEFFICIENTS_FOLDER).is_dir():
        layout, takes = "FLAME (DiffPoseTalk)", _tree(folder)
    elif (folder / LIST_FILE).is_file():
        layout, takes = "FLAME (ARTalk)", _list(folder)
    else:
        layout, takes = "FLAME", _pairs(folder)
    clips, notes, by_name = [], [], {}
    space: MotionSpace | None = None
    for take in takes:
        try:
            if take.audio is None:
                raise BadInput(f"{take.name} has no audio.")
            frames, expressions = _measured(take.motion)
            space = space or MotionSpace.flame(expressions)
            if MotionSpace.flame(expressions) != space:
                raise BadInput(f"It has {expressions} expressions, others {space.parts[0][1]}.")
        except LipstreamError as error:
            notes.append(f"{take.name} is left out: {error}")
            continue
        clips.append(ClipInfo(take.name, take.subject, frames, fps or _rate(take.motion)))
        by_name[take.name] = take
    if space is None:
        raise BadInput(
            f"{folder} holds no FLAME sequence with audio. {' '.join(notes[:3])}".strip()
        )
    found = space

    def load(clip: ClipInfo) -> MotionClip:
        return _load(clip, by_name[clip.name], found)

    return MotionCorpus(layout, found, tuple(clips), load, tuple(notes))


def _load(clip: ClipInfo, take: _Take, space: MotionSpace) -> MotionClip:
    sequence = _sequence(take.motion)
    if take.audio is None:
        raise BadInput(f"{take.name} has no audio.")
    audio = read_audio(take.audio)
    return MotionClip(
        clip.name,
        clip.subject,
        space,
        sequence.motion,
        clip.fps,
        audio,
        identity=sequence.identity,
    )


def _sequence(path: Path) -> FlameSequence:
    if path.suffix == ".npz":
        return FlameSequence.from_arrays(read_arrays(path), path.name)
    array = read_tensor(path) if path.suffix == ".pt" else map_array(path)
    return FlameSequence.from_artalk(array, path.name)


def _measured(path: Path) -> tuple[int, int]:
    """Frames and expressions; of large files from the header alone."""
    if path.suffix == ".npz":
        shapes = shapes_of(path)
        frames = flame_frames(shapes, path.name)
        return frames, next(
            shapes[key][1] for key in shapes if key.startswith("exp") and len(shapes[key]) == 2
        )
    sequence = _sequence(path)
    return len(sequence), ARTALK_WIDTH - 6


def _rate(path: Path) -> float:
    if path.suffix == ".npz" and "fps" in shapes_of(path):
        fps = read_number(path, "fps")
        if not 1 <= fps <= 1_000:
            raise BadInput(f"{path.name} says {fps:g} fps; 1 to 1000 was expected.")
        return fps
    return _FPS


def _tree(folder: Path) -> list[_Take]:
    root = folder / COEFFICIENTS_FOLDER
    takes = []
    for path in sorted(root.rglob("*.npz")):
        name = path.relative_to(root).with_suffix("")
        audio = find_audio(folder / "audio" / name.parent, [path.stem])
        takes.append(_Take(str(name), path.parent.name, path, audio))
    return takes


def _list(folder: Path) -> list[_Take]:
    path = folder / LIST_FILE
    if path.stat().st_size > _MAX_LIST_BYTES:
        raise BadInput(f"{path} is over the limit of {_MAX_LIST_BYTES / 1e6:g} MB.")
    try:
        entries = json.loads(path.read_text("utf-8"))
        pairs = [(str(entry["motion_path"]), str(entry["audio_path"])) for entry in entries]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadInput(
            f"{path} is no list of objects with motion_path and audio_path.",
        ) from None
    takes = []
    for motion, audio in pairs:
        inside = _inside(folder, motion), _inside(folder, audio)
        sound = inside[1] if inside[1].is_file() else None
        parent = Path(motion).parent.name
        subject = parent if parent not in ("", "motions") else folder.resolve().name
        takes.append(_Take(str(Path(motion).with_suffix("")), subject, inside[0], sound))
    return takes


def _inside(folder: Path, relative: str) -> Path:
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadInput(f"{LIST_FILE} names {relative}, which lies outside its folder.")
    return path


def _pairs(folder: Path) -> list[_Take]:
    takes = []
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".npz", ".npy", ".pt"):
            continue
        audio = find_audio(path.parent, [path.stem, path.stem.removesuffix("_motions")])
        relative = path.relative_to(folder)
        subject = relative.parent.name or folder.resolve().name
        takes.append(_Take(str(relative.with_suffix("")), subject, path, audio))
    return takes
