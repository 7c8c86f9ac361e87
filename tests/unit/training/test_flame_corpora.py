"""FLAME sequences in the layouts of DiffPoseTalk and ARTalk, and corpora through the command."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from lipstream.errors import BadInput
from lipstream.training.commands import corpus_app
from lipstream.training.corpora.flame_sequence import FlameSequence
from lipstream.training.corpora.recognise import open_motion_corpus
from tests.unit.training import motion_samples


def test_diffposetalk_before_packing(tmp_path: Path) -> None:
    arrays = motion_samples.diffposetalk(tmp_path)
    corpus = open_motion_corpus(tmp_path)
    assert corpus.subjects == ("RD_Radio1", "TH_00001")
    assert corpus.space.parts == (("expression", 50), ("rotation", 3), ("jaw", 3))
    clip = corpus.load(corpus.clips[0])
    assert np.array_equal(clip.part("expression"), arrays["exp"])
    assert np.array_equal(clip.part("jaw"), arrays["pose"][:, 3:])
    assert clip.identity is not None
    assert np.array_equal(clip.identity, arrays["shape"][0])
    assert (clip.fps, clip.audio.size) == (25.0, 19_200)


def test_diffposetalk_packed(tmp_path: Path) -> None:
    arrays = _pack(tmp_path, frames=30, piece_frames=12)
    corpus = open_motion_corpus(tmp_path)
    assert [clip.name for clip in corpus.clips] == ["TH_00001/000"]
    clip = corpus.load(corpus.clips[0])
    assert np.array_equal(clip.part("expression"), arrays["exp"])
    assert np.array_equal(clip.part("rotation"), arrays["pose"][:, :3])
    assert np.abs(clip.audio - motion_samples.speech(1.2)).max() < 1e-3


def _pack(folder: Path, frames: int, piece_frames: int) -> dict[str, Any]:
    """One clip as DiffPoseTalk's script packs it."""
    lmdb = pytest.importorskip("lmdb")
    import soundfile

    tree = folder.with_name(f"{folder.name}-tree")
    tree.mkdir()
    arrays = motion_samples.diffposetalk(tree, frames)
    samples = motion_samples.speech(frames / 25)
    entries: dict[str, Any] = {"metadata": {"seg_len": piece_frames}}
    entries["TH_00001/000/metadata"] = {"n_frames": frames}
    for index, first in enumerate(range(0, frames, piece_frames)):
        last = min(first + piece_frames, frames)
        audio = io.BytesIO()
        soundfile.write(audio, samples[first * 640 : last * 640], 16_000, format="FLAC")
        piece = {key: value[first:last] for key, value in arrays.items()}
        entries[f"TH_00001/000/{index:03d}"] = {"audio": audio.getvalue(), "coef": piece}
    database = lmdb.open(str(folder), map_size=10_000_000)
    with database.begin(write=True) as transaction:
        for key, entry in entries.items():
            transaction.put(key.encode(), pickle.dumps(entry, protocol=pickle.HIGHEST_PROTOCOL))
    database.close()
    return arrays


def test_artalk_lists(tmp_path: Path) -> None:
    motion = motion_samples.artalk(tmp_path)
    corpus = open_motion_corpus(tmp_path)
    assert (corpus.layout, len(corpus)) == ("FLAME (ARTalk)", 2)
    clip = corpus.load(corpus.clips[0])
    assert np.array_equal(clip.motion, motion)
    assert clip.space.columns("rotation") == slice(100, 103)


def test_artalk_results_beside_their_audio(tmp_path: Path) -> None:
    import torch

    motion = motion_samples.artalk(tmp_path)
    (tmp_path / "metadata.json").unlink()
    for path in (tmp_path / "motions").iterdir():
        path.unlink()
    torch.save(torch.from_numpy(motion), tmp_path / "audios" / "sample_0001_motions.pt")
    torch.save({"weights": torch.zeros(3)}, tmp_path / "audios" / "sample_0000.pt")
    corpus = open_motion_corpus(tmp_path)
    assert [clip.name for clip in corpus.clips] == ["audios/sample_0001_motions"]
    assert np.array_equal(corpus.load(corpus.clips[0]).motion, motion)
    assert "holds a dict" in corpus.notes[0]


def test_lists_stay_inside_their_folder(tmp_path: Path) -> None:
    motion_samples.artalk(tmp_path)
    path = tmp_path / "metadata.json"
    path.write_text(path.read_text().replace("audios/sample_0000", "../../etc/passwd"))
    with pytest.raises(BadInput, match="outside"):
        open_motion_corpus(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"pose": np.zeros((4, 6))}, "expression coefficients of shape None"),
        ({"exp": np.zeros((4, 50))}, "has no jaw"),
        ({"expr": np.zeros((4, 50)), "pose": np.zeros((4, 5))}, r"\(4, 5\); \(4, 6\)"),
        ({"expr": np.zeros((4, 50)), "jaw_pose": np.zeros((3, 3))}, r"\(3, 3\); \(4, 3\)"),
        ({"exp": np.zeros((4, 500)), "pose": np.zeros((4, 6))}, r"1\.\.100"),
    ],
)
def test_arrays_that_disagree(arrays: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        FlameSequence.from_arrays(arrays, "x.npz")


def test_other_names_are_known() -> None:
    arrays = {
        "expression": np.ones((4, 10)),
        "jaw": np.full((4, 1), 0.2),
        "global_pose": np.full((4, 3), 0.1),
        "betas": np.arange(300.0),
    }
    sequence = FlameSequence.from_arrays(arrays, "x.npz")
    assert sequence.motion.shape == (4, 16)
    assert np.allclose(sequence.jaw[0], [0.2, 0, 0])
    assert sequence.identity is not None
    assert sequence.identity.shape == (300,)


def test_the_command_shows_and_checks_a_corpus(tmp_path: Path) -> None:
    motion_samples.diffposetalk(tmp_path)
    result = CliRunner().invoke(corpus_app, ["inspect", str(tmp_path), "--load"])
    assert result.exit_code == 0, result.output
    for text in ("DiffPoseTalk", "RD_Radio1", "50 expression", "All 3 clips load"):
        assert text in result.output
    (tmp_path / "audio" / "RD_Radio1" / "000.wav").write_bytes(b"no audio")
    result = CliRunner().invoke(corpus_app, ["inspect", str(tmp_path), "--load"])
    assert isinstance(result.exception, BadInput)
