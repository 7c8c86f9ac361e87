"""VOCASET as it is published: all frames in one array, and pickles that say whose they are.

Files (https://voca.is.tue.mpg.de, to be requested there): `data_verts.npy` (N, 5023, 3), metres,
60 fps; `subj_seq_to_idx.pkl` {subject: {sequence: {frame: row of data_verts}}};
`raw_audio_fixed.pkl` {subject: {sequence: {"audio": (S,), "sample_rate": int}}}; `templates.pkl`
{subject: (5023, 3)}. As in the papers that use it, every second frame is taken: 30 fps.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.face.motion import Floats
from lipstream.training.corpora.array_file import map_array
from lipstream.training.corpora.clip_audio import to_samples
from lipstream.training.corpora.motion_clip import ClipInfo, MotionClip, MotionCorpus, MotionSpace
from lipstream.training.corpora.safe_pickle import read_pickle
from lipstream.training.corpora.templates import mapping, read_templates

__all__ = ["CAPTURE_FPS", "STRIDE", "VOCASET_FILES", "open_vocaset"]

VOCASET_FILES = ("data_verts.npy", "subj_seq_to_idx.pkl", "raw_audio_fixed.pkl", "templates.pkl")
CAPTURE_FPS = 60.0
STRIDE = 2


@dataclass(frozen=True, slots=True)
class _Files:
    vertices: NDArray[Any]  # [N, V, 3] mapped
    rows: dict[str, NDArray[np.int64]]  # of each clip, in the order of frames
    audio: dict[str, tuple[NDArray[Any], int]]  # samples [S] and their rate
    templates: dict[str, Floats]  # [V, 3] of each subject


def open_vocaset(folder: Path) -> MotionCorpus:
    """The corpus in a folder that holds `VOCASET_FILES`.

    Sequences without audio or template are left out, with a note.

    Raises:
        NotFound, BadInput: a file is missing or holds something else.
    """
    vertices = map_array(folder / VOCASET_FILES[0])
    if vertices.ndim != 3 or vertices.shape[2] != 3:
        raise BadInput(f"data_verts.npy has shape {vertices.shape}; (N, 5023, 3) was expected.")
    templates = read_templates(folder / VOCASET_FILES[3])
    count = len(next(iter(templates.values())))
    if count != vertices.shape[1]:
        raise BadInput(
            f"templates.pkl has {count} vertices a face but data_verts.npy {vertices.shape[1]}."
        )
    audio = _audio(folder / VOCASET_FILES[2])
    clips, rows, notes = [], {}, []
    index = mapping(read_pickle(folder / VOCASET_FILES[1]), "subj_seq_to_idx.pkl")
    for subject, sequences in sorted(index.items()):
        for sequence, frames in sorted(mapping(sequences, f"Subject {subject}").items()):
            name = f"{subject}_{sequence}"
            if name not in audio or subject not in templates:
                missing = "audio" if name not in audio else "template"
                notes.append(f"{name} has no {missing} and is left out.")
                continue
            rows[name] = _rows(frames, name, len(vertices))[::STRIDE]
            clips.append(ClipInfo(name, str(subject), len(rows[name]), CAPTURE_FPS / STRIDE))
    if not clips:
        raise BadInput(f"No sequence in {folder} has both vertices and audio.")
    files = _Files(vertices, rows, audio, templates)
    space = MotionSpace.vertices(count, "m")
    return MotionCorpus(
        "VOCASET", space, tuple(clips), lambda clip: _load(clip, space, files), tuple(notes)
    )


def _load(clip: ClipInfo, space: MotionSpace, files: _Files) -> MotionClip:
    rows = files.rows[clip.name]
    vertices = np.asarray(files.vertices[rows], np.float32)
    samples, rate_hz = files.audio[clip.name]
    return MotionClip(
        clip.name,
        clip.subject,
        space,
        vertices.reshape(len(rows), -1),
        clip.fps,
        to_samples(samples, rate_hz, clip.name),
        template=files.templates[clip.subject],
    )


def _rows(frames: Any, name: str, total: int) -> NDArray[np.int64]:
    by_frame = mapping(frames, f"Sequence {name}")
    try:
        rows = np.array([int(by_frame[frame]) for frame in sorted(by_frame)], np.int64)
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"subj_seq_to_idx.pkl maps {name} to something else than rows.") from None
    if not rows.size or rows.min() < 0 or rows.max() >= total:
        raise BadInput(
            f"subj_seq_to_idx.pkl maps {name} to rows outside data_verts.npy, which has {total}.",
            remedy="The two files must come from the same download.",
        )
    return rows


def _audio(path: Path) -> dict[str, tuple[NDArray[Any], int]]:
    clips = {}
    for subject, sequences in mapping(read_pickle(path), path.name).items():
        for sequence, entry in mapping(sequences, f"Subject {subject} of {path.name}").items():
            fields = mapping(entry, f"{subject}_{sequence} of {path.name}")
            missing = [field for field in ("audio", "sample_rate") if field not in fields]
            if missing:
                raise BadInput(f"{subject}_{sequence} of {path.name} lacks {', '.join(missing)}.")
            samples = np.asarray(fields["audio"])
            clips[f"{subject}_{sequence}"] = (samples, int(fields["sample_rate"]))
    return clips
