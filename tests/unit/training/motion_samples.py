"""Small corpora in the exact formats that people keep, written as the original tools write them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from lipstream.audio.wav import write_wav
from lipstream.face.live_link import write_live_link
from lipstream.face.motion import Floats, Motion
from tests.unit.training.python2_pickle import dumps_python2

__all__ = [
    "SUBJECTS",
    "artalk",
    "biwi",
    "diffposetalk",
    "facegood",
    "live_link",
    "speech",
    "vocaset",
    "vocaset_folder",
]

SUBJECTS = ("FaceTalk_170725_00137_TA", "FaceTalk_170809_00138_TA")
_FRAMES = 60
"""One second as VOCASET is captured."""


def speech(seconds: float, rate_hz: int = 16_000) -> Floats:
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    return np.asarray(0.3 * np.sin(2 * np.pi * 220 * time_s), np.float32)


def _wav(path: Path, seconds: float, rate_hz: int = 16_000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_wav(path, [speech(seconds, rate_hz)], rate_hz)


def _faces(vertices: int, frames: int, seed: int) -> tuple[Floats, Floats]:
    """A template and frames about it."""
    rng = np.random.default_rng(seed)
    template = rng.normal(0, 0.1, (vertices, 3)).astype(np.float32)
    return template, template + rng.normal(0, 0.001, (frames, vertices, 3)).astype(np.float32)


def vocaset(folder: Path, vertices: int = 7) -> dict[str, Floats]:
    """As published; returns the vertices of each clip, all frames. The rows are out of order."""
    clips, templates, parts, row = {}, {}, [], 0
    index: dict[str, dict[str, Any]] = {}
    audio: dict[str, dict[str, Any]] = {}
    for number, subject in enumerate(SUBJECTS):
        index[subject], audio[subject] = {}, {}
        for sequence in ("sentence01", "sentence21"):
            templates[subject], frames = _faces(vertices, _FRAMES, number)
            clips[f"{subject}_{sequence}"] = frames
            parts.append(frames[::-1])
            rows = range(row + _FRAMES - 1, row - 1, -1)
            index[subject][sequence] = dict(enumerate(rows))
            pcm = np.round(speech(1.0, 22_000) * 32767).astype(np.int16)
            audio[subject][sequence] = {"audio": pcm, "sample_rate": 22_000}
            row += _FRAMES
    np.save(folder / "data_verts.npy", np.concatenate(parts))
    (folder / "templates.pkl").write_bytes(dumps_python2(templates))
    (folder / "raw_audio_fixed.pkl").write_bytes(dumps_python2(audio))
    (folder / "subj_seq_to_idx.pkl").write_bytes(pickle.dumps(index, protocol=2))
    return clips


def vocaset_folder(folder: Path, vertices: int = 7) -> None:
    """As FaceFormer's script unpacks it."""
    templates = {}
    (folder / "vertices_npy").mkdir()
    for number, subject in enumerate(SUBJECTS):
        templates[subject], frames = _faces(vertices, _FRAMES, number)
        for sequence in ("sentence01", "sentence21"):
            np.save(folder / "vertices_npy" / f"{subject}_{sequence}", frames.reshape(_FRAMES, -1))
            _wav(folder / "wav" / f"{subject}_{sequence}.wav", 1.0, 22_000)
    (folder / "templates.pkl").write_bytes(dumps_python2(templates))


def biwi(folder: Path, vertices: int = 5, frames: int = 25) -> None:
    """As CodeTalker's scripts leave it: float64, flat templates, lists of vertices."""
    templates = {}
    (folder / "vertices_npy").mkdir()
    for number, name in enumerate(("F2_e01", "F2_e33", "F2_e37", "F1_e37")):
        template, sequence = _faces(vertices, frames, number)
        templates[name[:2]] = template.reshape(-1).astype(np.float64)
        table = sequence.reshape(frames, -1).astype(np.float64)
        np.save(folder / "vertices_npy" / f"{name}.npy", table)
        _wav(folder / "wav" / f"{name}.wav", frames / 25)
    (folder / "templates.pkl").write_bytes(pickle.dumps(templates))
    (folder / "regions").mkdir()
    (folder / "regions" / "lve.txt").write_text("0, 1, 4")
    (folder / "regions" / "fdd.txt").write_text("2, 3")


def facegood(folder: Path, seconds: float = 1.0) -> Floats:
    """Two takes of weights with their mapping; returns the weights of the first."""
    names = np.array(["mouth_stretch_c", "mouth_pucker_l", "mouth_pucker_r", "other"])
    weights = np.random.default_rng(0).uniform(0, 1.2, (int(seconds * 30), 4)).astype(np.float32)
    for take in ("2_01", "2_02"):
        fps = np.float32(30.0)
        np.savez(folder / f"{take}.npz", weights=weights, names=names, fps=fps)
        _wav(folder / f"{take}.wav", seconds)
    (folder / "arkit_mapping.csv").write_text(
        "arkit,facegood\njawOpen,mouth_stretch_c\n"
        'mouthPucker,"max(mouth_pucker_l,mouth_pucker_r)"\n'
    )
    return weights


def live_link(folder: Path, fps: float = 60.0) -> Motion:
    """Takes as the app leaves them, one of them calibrated, for two people."""
    motion = Motion.rest(round(2 * fps), fps)
    motion.blendshapes[:, 17] = np.linspace(0, 1, len(motion), dtype=np.float32)
    motion.rotation[:, 1] = 0.1
    for person in ("anna", "ben"):
        for number in (1, 2):
            take = folder / person / f"20261121_MySlate_{number}"
            take.mkdir(parents=True)
            write_live_link(take / f"MySlate_{number}_iPhone.csv", motion)
            _wav(take / f"MySlate_{number}_iPhone.wav", 2.0, 48_000)
    calibrated = folder / "anna" / "20261121_MySlate_1"
    write_live_link(calibrated / "MySlate_1_iPhone_cal.csv", Motion.rest(len(motion), fps))
    write_live_link(calibrated / "MySlate_1_iPhone_raw.csv", motion)
    write_live_link(calibrated / "MySlate_1_iPhone_neutral.csv", Motion.rest(1, fps))
    (calibrated / "frame_log.csv").write_text("T,HT,F\n")
    return motion


def _coefficients(frames: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    widths = {"shape": 100, "exp": 50, "pose": 6}
    return {k: rng.normal(0, 1, (frames, w)).astype(np.float32) for k, w in widths.items()}


def diffposetalk(folder: Path, frames: int = 30) -> dict[str, Any]:
    """The tree before packing; returns the arrays of the first clip."""
    for number, name in enumerate(("RD_Radio1/000", "RD_Radio1/001", "TH_00001/000")):
        path = folder / "FLAME_coeffs" / f"{name}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **_coefficients(frames, number))
        _wav(folder / "audio" / f"{name}.wav", frames / 25)
    return _coefficients(frames, 0)


def artalk(folder: Path, frames: int = 30) -> Floats:
    """`metadata.json` with .npy motions; returns those of the first."""
    import json

    motion = np.random.default_rng(0).normal(0, 1, (frames, 106)).astype(np.float32)
    (folder / "motions").mkdir()
    entries = []
    for name in ("sample_0000", "sample_0001"):
        np.save(folder / "motions" / f"{name}.npy", motion)
        _wav(folder / "audios" / f"{name}.wav", frames / 25)
        paths = {"audio_path": f"audios/{name}.wav", "motion_path": f"motions/{name}.npy"}
        entries.append({**paths, "duration": frames / 25})
    (folder / "metadata.json").write_text(json.dumps(entries))
    return motion
