"""Keyed weights of a face rig with speech: FACEGOOD Audio2Face, or any rig with a mapping.

For each take `<take>.npz` with `weights` (T, N), `names` (N,) and `fps`, and `<take>.wav` (or
another audio file); one `arkit_mapping.csv` beside them. A folder is of one subject.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.motion import Floats
from lipstream.training.corpora.arkit_mapping import ArkitMapping
from lipstream.training.corpora.array_file import read_arrays, read_number, shapes_of
from lipstream.training.corpora.clip_audio import find_audio, read_audio
from lipstream.training.corpora.motion_clip import ClipInfo, MotionClip, MotionCorpus, MotionSpace

__all__ = ["MAPPING_FILE", "open_facegood"]

MAPPING_FILE = "arkit_mapping.csv"
_FIELDS = ("weights", "names", "fps")
_SPACE = MotionSpace.arkit()


def open_facegood(folder: Path) -> MotionCorpus:
    """The corpus in a folder of takes with `arkit_mapping.csv`.

    Raises:
        NotFound, BadInput: there are no takes, or one is of another shape.
    """
    mapping = ArkitMapping.read(folder / MAPPING_FILE)
    clips, notes = [], []
    for path in sorted(folder.glob("*.npz")):
        shapes = shapes_of(path)
        missing = [field for field in _FIELDS if field not in shapes]
        if missing:
            raise BadInput(
                f"{path.name} lacks {', '.join(missing)}; weights (T, N), names (N,) and fps were "
                "expected."
            )
        if len(shapes["weights"]) != 2 or shapes["weights"][1:] != shapes["names"]:
            raise BadInput(
                f"{path.name} has weights {shapes['weights']} and names {shapes['names']}; (T, N) "
                "and (N,) were expected."
            )
        if find_audio(folder, [path.stem]) is None:
            notes.append(f"{path.stem} has no audio and is left out.")
            continue
        fps = read_number(path, "fps")
        subject = folder.resolve().name
        clips.append(ClipInfo(path.stem, subject, shapes["weights"][0], _checked(fps, path)))
    if not clips:
        raise BadInput(f"{folder} holds no take of weights (.npz) with audio.")
    return MotionCorpus(
        "weights", _SPACE, tuple(clips), lambda clip: _load(clip, folder, mapping), tuple(notes)
    )


def _load(clip: ClipInfo, folder: Path, mapping: ArkitMapping) -> MotionClip:
    arrays = read_arrays(folder / f"{clip.name}.npz")
    audio = find_audio(folder, [clip.name])
    if audio is None:
        raise BadInput(f"The audio of {clip.name} has gone from {folder}.")
    weights = np.asarray(arrays["weights"], np.float32)
    shapes = mapping.apply(weights, tuple(str(name) for name in arrays["names"]))
    motion: Floats = np.zeros((len(shapes), _SPACE.width), np.float32)
    motion[:, _SPACE.columns("blendshapes")] = shapes
    return MotionClip(clip.name, clip.subject, _SPACE, motion, clip.fps, read_audio(audio))


def _checked(fps: float, path: Path) -> float:
    if not 1 <= fps <= 1_000:
        raise BadInput(f"{path.name} says {fps:g} fps; 1 to 1000 was expected.")
    return fps
