"""Motion corpora, which training reads, as evaluation takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from lipstream.errors import BadInput, NotFound
from lipstream.evaluation.recorded import (
    RecordedMeshes,
    RecordedMotion,
    RecordedMotions,
    RecordedVertices,
)
from lipstream.evaluation.vertex_set import VertexSet
from lipstream.training.corpora.motion_clip import ClipInfo, MotionClip, MotionCorpus
from lipstream.training.corpora.recognise import open_motion_corpus
from lipstream.training.corpora.regions import FaceRegions
from lipstream.training.corpora.splits import split_clips

if TYPE_CHECKING:
    from lipstream.training.trained_run import TrainedRun

__all__ = ["open_recorded"]

FaceT = TypeVar("FaceT")


@dataclass(frozen=True, slots=True)
class _Loaded(Generic[FaceT]):
    """Clips that are read whenever they are asked for."""

    clips: Sequence[ClipInfo]
    load: Callable[[ClipInfo], MotionClip]
    convert: Callable[[MotionClip], FaceT]

    def __iter__(self) -> Iterator[FaceT]:
        return (self.convert(self.load(clip)) for clip in self.clips)


def open_recorded(
    folder: Path, runs: Sequence[Path] = (), *, held_out: bool = True
) -> RecordedMotions | RecordedMeshes:
    """The faces of a motion corpus.

    Args:
        runs: folders of what was trained on it.
        held_out: the clips that its split tests on: of vertices always, of blendshapes where runs
            are named. The product's generators have learned from no recorded face, so for them
            all clips of blendshapes are taken.

    Raises:
        NotFound: there is no such folder.
        BadInput: it holds no corpus that evaluation can use, or a run is of another one.
    """
    corpus = open_motion_corpus(folder)
    trained = [_trained(run, corpus) for run in runs]
    match corpus.space.kind:
        case "arkit":
            clips = _chosen(corpus, folder, held_out=held_out and bool(runs))
            takes = _Loaded(clips, corpus.load, _motion)
            contenders = tuple(run.as_blendshapes() for run in trained)
            return RecordedMotions(f"{corpus.layout}, {folder}", takes, len(clips), contenders)
        case "vertices":
            return _meshes(corpus, folder, trained, held_out=held_out)
        case kind:
            raise BadInput(
                f"{folder} holds motion of {kind}; its vertices need FLAME's own model.",
                remedy="Name a corpus of blendshapes or of vertices.",
            )


def _trained(run: Path, corpus: MotionCorpus) -> TrainedRun:
    from lipstream.training.trained_run import TrainedRun  # brings torch

    return TrainedRun.open(run, corpus)


def _chosen(corpus: MotionCorpus, folder: Path, *, held_out: bool) -> Sequence[ClipInfo]:
    clips = split_clips(corpus)["test"] if held_out else corpus.clips
    if not clips:
        raise BadInput(
            f"{folder} holds none of the clips that {corpus.layout} is tested on.",
            remedy="Use all clips with --no-held-out.",
        )
    return clips


def _meshes(
    corpus: MotionCorpus, folder: Path, trained: Sequence[TrainedRun], *, held_out: bool
) -> RecordedMeshes:
    clips = _chosen(corpus, folder, held_out=held_out)
    count, unit = corpus.space.vertex_count, corpus.space.unit
    notes: tuple[str, ...] = (
        "The product's generators make blendshapes, which this mesh does not have; on it stand "
        "the runs that were named, and a still face.",
    )
    try:
        regions = FaceRegions.read(folder, count)
        vertex_set = VertexSet.of_mesh(count, unit, regions.lips, regions.upper_face)
    except NotFound as error:
        vertex_set = VertexSet.of_mesh(count, unit)
        notes = (*notes, f"LVE and FDD are left out: {error.message}")
    loaded = _Loaded(clips, corpus.load, _vertices)
    contenders = tuple(run.as_mesh() for run in trained)
    layout = f"{corpus.layout}, {folder}"
    return RecordedMeshes(layout, loaded, len(clips), vertex_set, contenders, notes)


def _motion(clip: MotionClip) -> RecordedMotion:
    return RecordedMotion(clip.name, clip.as_motion(), clip.audio)


def _vertices(clip: MotionClip) -> RecordedVertices:
    if clip.template is None:
        raise BadInput(f"{clip.name} has no template to tell displacements from.")
    vertices = clip.part("vertices").reshape(len(clip.motion), -1, 3)
    return RecordedVertices(clip.name, vertices, clip.template, clip.audio, clip.fps)
