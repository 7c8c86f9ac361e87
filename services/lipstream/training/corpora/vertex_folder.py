"""Vertex corpora unpacked for training: `vertices_npy/`, `wav/`, `templates.pkl`.

FaceFormer introduced this layout and CodeTalker, DiffSpeaker and StreamingTalker use it for
VOCASET (`<subject>_sentenceNN.npy`, (T, 15069) at 60 fps, of which every second frame is taken),
for BIWI (`F2_e01.npy`, (T, 70110) at 25 fps) and for a user's own meshes.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.motion import Floats
from lipstream.training.corpora.array_file import map_array
from lipstream.training.corpora.clip_audio import find_audio, read_audio
from lipstream.training.corpora.motion_clip import ClipInfo, MotionClip, MotionCorpus, MotionSpace
from lipstream.training.corpora.templates import read_templates
from lipstream.training.corpora.vocaset import CAPTURE_FPS, STRIDE

__all__ = ["open_vertex_folder"]

_VOCASET_NAME = re.compile(r"FaceTalk_\w+_sentence\d+")
_BIWI_NAME = re.compile(r"[FM]\d+_e?\d+")
_BIWI_FPS = 25.0


def open_vertex_folder(folder: Path, fps: float | None = None) -> MotionCorpus:
    """The corpus in a folder that holds `vertices_npy/`, `wav/` and `templates.pkl`.

    Subjects are what comes before the last `_` of a name. Sequences without audio or template are
    left out, with a note.

    Args:
        fps: rate of the files, if they are neither VOCASET's nor BIWI's.

    Raises:
        NotFound, BadInput: a file is missing or of another shape, or the rate is not known.
    """
    paths = sorted((folder / "vertices_npy").glob("*.npy"))
    if not paths:
        raise BadInput(f"{folder / 'vertices_npy'} holds no .npy files.")
    templates = read_templates(folder / "templates.pkl")
    layout, capture_fps, stride = _rate([path.stem for path in paths], fps)
    count = len(next(iter(templates.values())))
    clips, notes = [], []
    for path in paths:
        subject = path.stem.rpartition("_")[0]
        if subject not in templates or find_audio(folder / "wav", [path.stem]) is None:
            missing = "audio in wav/" if subject in templates else f"template for {subject!r}"
            notes.append(f"{path.stem} has no {missing} and is left out.")
            continue
        frames = len(range(0, _frames(path, count), stride))
        clips.append(ClipInfo(path.stem, subject, frames, capture_fps / stride))
    if not clips:
        raise BadInput(f"No file of {folder / 'vertices_npy'} has audio and a template.")
    space = MotionSpace.vertices(count, "m" if layout == "VOCASET" else "")

    def load(clip: ClipInfo) -> MotionClip:
        return _load(clip, folder, space, templates[clip.subject], stride)

    return MotionCorpus(layout, space, tuple(clips), load, tuple(notes))


def _rate(names: list[str], fps: float | None) -> tuple[str, float, int]:
    """Name of the corpus, rate of its files, and which frames to take: every n-th."""
    if fps is not None:
        return "vertex folder", fps, 1
    if all(_VOCASET_NAME.fullmatch(name) for name in names):
        return "VOCASET", CAPTURE_FPS, STRIDE
    if all(_BIWI_NAME.fullmatch(name) for name in names):
        return "BIWI", _BIWI_FPS, 1
    raise BadInput(
        f"The frame rate of {names[0]}.npy is not known: its name is neither VOCASET's "
        "(FaceTalk_..._sentence01) nor BIWI's (F2_e01).",
        remedy="Say it with --fps.",
    )


def _frames(path: Path, count: int) -> int:
    """The number of frames in a file, once its shape is right."""
    array = map_array(path)
    flat = array.ndim == 2 and array.shape[1] == 3 * count
    if not (flat or (array.ndim == 3 and array.shape[1:] == (count, 3))):
        raise BadInput(
            f"{path.name} has shape {array.shape}; (frames, {3 * count}) was expected, since "
            f"templates.pkl has {count} vertices."
        )
    return len(array)


def _load(
    clip: ClipInfo, folder: Path, space: MotionSpace, template: Floats, stride: int
) -> MotionClip:
    vertices = map_array(folder / "vertices_npy" / f"{clip.name}.npy")[::stride]
    audio = find_audio(folder / "wav", [clip.name])
    if audio is None:
        raise BadInput(f"The audio of {clip.name} has gone from {folder / 'wav'}.")
    motion = np.asarray(vertices, np.float32).reshape(len(vertices), -1)
    return MotionClip(
        clip.name, clip.subject, space, motion, clip.fps, read_audio(audio), template=template
    )
