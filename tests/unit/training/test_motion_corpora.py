"""Motion corpora in the formats that people keep: what is read, and what is refused."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from lipstream.errors import BadInput, NotFound
from lipstream.face.arkit import INDEX
from lipstream.training.corpora.motion_clip import MotionClip, MotionCorpus, MotionSpace
from lipstream.training.corpora.recognise import open_motion_corpus
from lipstream.training.corpora.regions import FaceRegions
from lipstream.training.corpora.splits import split_clips
from lipstream.training.corpora.survey import faulty_clips, survey
from tests.shared_data import shared_data
from tests.unit.training import motion_samples
from tests.unit.training.motion_samples import SUBJECTS


def _first(corpus: MotionCorpus) -> MotionClip:
    return corpus.load(corpus.clips[0])


def test_vocaset_as_published(tmp_path: Path) -> None:
    frames = motion_samples.vocaset(tmp_path)
    corpus = open_motion_corpus(tmp_path)
    assert (corpus.layout, len(corpus), corpus.subjects) == ("VOCASET", 4, SUBJECTS)
    assert corpus.space == MotionSpace.vertices(7, "m")
    clip = _first(corpus)
    assert clip.name == f"{SUBJECTS[0]}_sentence01"
    assert np.array_equal(clip.motion, frames[clip.name][::2].reshape(30, 21))
    assert (clip.fps, clip.rate_hz, clip.audio.size) == (30.0, 16_000, 16_000)
    # The tone passes the change of rate, away from the ends.
    assert np.abs(clip.audio - motion_samples.speech(1.0))[500:-500].max() < 1e-3
    assert clip.template is not None
    assert np.abs(clip.offsets()).max() < 0.01


def test_vocaset_has_true_shapes(tmp_path: Path) -> None:
    motion_samples.vocaset(tmp_path, vertices=5023)
    corpus = open_motion_corpus(tmp_path)
    assert (corpus.space.vertex_count, corpus.space.width) == (5023, 15_069)
    assert _first(corpus).motion.shape == (30, 15_069)


def test_vocaset_unpacked_equals_as_published(tmp_path: Path) -> None:
    for name in ("raw", "unpacked"):
        (tmp_path / name).mkdir()
    motion_samples.vocaset(tmp_path / "raw")
    motion_samples.vocaset_folder(tmp_path / "unpacked")
    raw, unpacked = (open_motion_corpus(tmp_path / name) for name in ("raw", "unpacked"))
    assert raw.clips == unpacked.clips
    assert raw.layout == unpacked.layout
    for one, other in zip(raw, unpacked, strict=True):
        assert np.array_equal(one.motion, other.motion)
        assert np.abs(one.audio - other.audio).max() < 1e-4


def test_vocaset_splits_are_those_of_the_papers(tmp_path: Path) -> None:
    motion_samples.vocaset(tmp_path)
    parts = split_clips(open_motion_corpus(tmp_path))
    assert [clip.name for clip in parts["train"]] == [
        f"{SUBJECTS[0]}_sentence01",
        f"{SUBJECTS[0]}_sentence21",
    ]
    assert [clip.name for clip in parts["test"]] == [f"{SUBJECTS[1]}_sentence21"]


def test_biwi(tmp_path: Path) -> None:
    motion_samples.biwi(tmp_path, vertices=23_370, frames=3)
    corpus = open_motion_corpus(tmp_path)
    assert (corpus.layout, corpus.space.width, corpus.clips[0].fps) == ("BIWI", 70_110, 25.0)
    clip = _first(corpus)
    assert clip.motion.dtype == np.float32
    assert clip.template is not None
    assert clip.template.shape == (23_370, 3)
    assert FaceRegions.read(tmp_path, 23_370).lips.tolist() == [0, 1, 4]


def test_biwi_splits(tmp_path: Path) -> None:
    motion_samples.biwi(tmp_path)
    corpus = open_motion_corpus(tmp_path)
    seen, unseen = split_clips(corpus), split_clips(corpus, test_b=True)
    names = {part: [clip.name for clip in clips] for part, clips in seen.items()}
    assert names == {"train": ["F2_e01"], "dev": ["F2_e33"], "test": ["F2_e37"]}
    assert [clip.name for clip in unseen["test"]] == ["F1_e37"]


def test_regions_of_flame_masks(tmp_path: Path) -> None:
    masks = {"lips": np.array([3, 1]), "forehead": np.array([5]), "eye_region": np.array([5, 6])}
    (tmp_path / "FLAME_masks.pkl").write_bytes(pickle.dumps(masks, protocol=2))
    regions = FaceRegions.read(tmp_path, 7)
    assert (regions.lips.tolist(), regions.upper_face.tolist()) == ([3, 1], [5, 6])
    with pytest.raises(BadInput, match="mesh has 6"):
        FaceRegions.read(tmp_path, 6)


def test_own_meshes_need_a_rate(tmp_path: Path) -> None:
    motion_samples.biwi(tmp_path)
    for path in [*(tmp_path / "vertices_npy").iterdir(), *(tmp_path / "wav").iterdir()]:
        path.rename(path.with_name(path.name.replace("_e", "_line")))
    with pytest.raises(BadInput, match="--fps"):
        open_motion_corpus(tmp_path)
    assert open_motion_corpus(tmp_path, fps=25).clips[0].fps == 25


def test_weights_with_a_mapping(tmp_path: Path) -> None:
    weights = motion_samples.facegood(tmp_path)
    clip = _first(open_motion_corpus(tmp_path))
    shapes = clip.as_motion().blendshapes
    assert np.allclose(shapes[:, INDEX["jawOpen"]], weights[:, 0].clip(0, 1))
    assert np.allclose(shapes[:, INDEX["mouthPucker"]], weights[:, 1:3].max(1).clip(0, 1))
    assert shapes.sum() == pytest.approx(shapes[:, [17, 20]].sum())


def test_facegood_itself() -> None:
    corpus = open_motion_corpus(shared_data("facial-motion", "facegood"))
    assert survey(corpus).hours == pytest.approx(656 / 3600, rel=0.01)
    assert {part: len(clips) for part, clips in split_clips(corpus).items()} == {
        "train": 5,
        "dev": 1,
        "test": 1,
    }
    clip = corpus.load(corpus.clips[-1])
    jaw = clip.part("blendshapes")[:, INDEX["jawOpen"]]
    loud = np.array([np.abs(clip.audio[k * 533 : (k + 1) * 533]).mean() for k in range(len(jaw))])
    assert np.corrcoef(jaw, np.nan_to_num(loud))[0, 1] > 0.3


def test_live_link_takes(tmp_path: Path) -> None:
    motion = motion_samples.live_link(tmp_path)
    corpus = open_motion_corpus(tmp_path)
    assert (corpus.layout, len(corpus)) == ("Live Link Face", 4)
    assert corpus.subjects == ("anna", "ben")
    calibrated, plain = (corpus.load(clip) for clip in corpus.clips[:2])
    assert calibrated.name.endswith("_cal")
    assert calibrated.part("blendshapes").max() == 0
    assert (plain.fps, plain.audio.size) == (60.0, 32_000)
    again = plain.as_motion()
    assert np.allclose(again.blendshapes, motion.blendshapes, atol=1e-6)
    assert np.allclose(again.rotation, motion.rotation, atol=1e-6)


@pytest.mark.parametrize("missing", ["templates.pkl", "raw_audio_fixed.pkl", "subj_seq_to_idx.pkl"])
def test_missing_files_are_named(tmp_path: Path, missing: str) -> None:
    motion_samples.vocaset(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(NotFound, match=missing):
        open_motion_corpus(tmp_path)


def test_what_lacks_audio_is_left_out_with_a_note(tmp_path: Path) -> None:
    motion_samples.vocaset_folder(tmp_path)
    (tmp_path / "wav" / f"{SUBJECTS[0]}_sentence01.wav").unlink()
    corpus = open_motion_corpus(tmp_path)
    assert len(corpus) == 3
    assert "no audio" in corpus.notes[0]


def test_shapes_that_disagree_say_what_was_expected(tmp_path: Path) -> None:
    motion_samples.biwi(tmp_path)
    np.save(tmp_path / "vertices_npy" / "F2_e01.npy", np.zeros((4, 12)))
    with pytest.raises(BadInput, match=r"\(4, 12\); \(frames, 15\) was expected"):
        open_motion_corpus(tmp_path)
    np.save(tmp_path / "vertices_npy" / "F2_e01.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(BadInput, match=r"F2_e01\.npy is no \.npy file of numbers"):
        open_motion_corpus(tmp_path)


def test_rows_of_another_download_are_refused(tmp_path: Path) -> None:
    motion_samples.vocaset(tmp_path)
    vertices = np.load(tmp_path / "data_verts.npy")
    np.save(tmp_path / "data_verts.npy", vertices[:100])
    with pytest.raises(BadInput, match="rows outside data_verts"):
        open_motion_corpus(tmp_path)
    np.save(tmp_path / "data_verts.npy", vertices[:, :4])
    with pytest.raises(BadInput, match=r"7 vertices a face but data_verts\.npy 4"):
        open_motion_corpus(tmp_path)


def test_audio_of_another_length_is_refused(tmp_path: Path) -> None:
    weights = motion_samples.facegood(tmp_path, seconds=4.0)
    np.savez(tmp_path / "2_01.npz", weights=weights, names=np.array(["a"] * 4), fps=60.0)
    (tmp_path / "arkit_mapping.csv").write_text("arkit,other\njawOpen,a\n")
    (tmp_path / "2_02.npz").unlink()
    faults = faulty_clips(open_motion_corpus(tmp_path))
    assert "2.00 s of motion (120 frames at 60 fps) but 4.00 s of audio" in faults[0]


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ("jawOpen,__import__('os')", "a weight's name or max"),
        ("jawShut,mouth_stretch_c", "an ARKit name and a rule"),
        ("jawOpen,mouth_unknown", "lack mouth_unknown"),
    ],
)
def test_mappings_are_rules_not_programs(tmp_path: Path, rules: str, complaint: str) -> None:
    motion_samples.facegood(tmp_path)
    (tmp_path / "arkit_mapping.csv").write_text(f"arkit,facegood\n{rules}\n")
    with pytest.raises(BadInput, match=complaint):
        _first(open_motion_corpus(tmp_path))


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    motion_samples.biwi(tmp_path)
    np.save(tmp_path / "vertices_npy" / "F2_e01.npy", np.full((25, 15), np.nan))
    (name,) = [c for c in open_motion_corpus(tmp_path).clips if c.name == "F2_e01"]
    with pytest.raises(BadInput, match="not finite"):
        open_motion_corpus(tmp_path).load(name)


def test_unknown_folders_are_told_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="VOCASET"):
        open_motion_corpus(tmp_path)
    with pytest.raises(NotFound):
        open_motion_corpus(tmp_path / "nowhere")
