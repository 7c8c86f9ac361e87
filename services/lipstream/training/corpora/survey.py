"""What a motion corpus holds, in figures; and, on request, whether every clip of it loads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lipstream.errors import LipstreamError
from lipstream.training.corpora.motion_clip import MotionCorpus
from lipstream.training.corpora.splits import Split, split_clips

__all__ = ["Survey", "faulty_clips", "survey"]


@dataclass(frozen=True, slots=True)
class Survey:
    """Figures of a corpus, from file headers."""

    layout: str
    clips: int
    subjects: tuple[str, ...]
    hours: float
    fps: tuple[float, ...]
    space: str
    splits: dict[Split, int]
    """Clips that train, develop, test."""


def survey(corpus: MotionCorpus) -> Survey:
    space = corpus.space
    columns = (
        f"{space.vertex_count} vertices{f' ({space.unit})' if space.unit else ''}"
        if space.vertex_count
        else " + ".join(f"{width} {name}" for name, width in space.parts)
    )
    return Survey(
        layout=corpus.layout,
        clips=len(corpus),
        subjects=corpus.subjects,
        hours=sum(clip.duration_s for clip in corpus.clips) / 3600,
        fps=tuple(sorted({clip.fps for clip in corpus.clips})),
        space=columns,
        splits={split: len(clips) for split, clips in split_clips(corpus).items()},
    )


def faulty_clips(
    corpus: MotionCorpus, progress: Callable[[float], None] = lambda seconds: None
) -> list[str]:
    """Load every clip; what is wrong with those that cannot be used, a sentence each."""
    faults = []
    done_s = 0.0
    for clip in corpus.clips:
        try:
            corpus.load(clip)
        except LipstreamError as error:
            faults.append(str(error))
        done_s += clip.duration_s
        progress(done_s)
    return faults
