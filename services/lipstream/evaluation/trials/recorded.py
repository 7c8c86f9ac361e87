"""Recorded faces: how far is what is generated from what somebody's face did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.errors import BadInput
from lipstream.evaluation.beats import BeatTally
from lipstream.evaluation.contenders import Contender, drawn, hear, unlabelled
from lipstream.evaluation.curve_example import CurveExample, recorded_example
from lipstream.evaluation.mouth_opening import mouth_openings
from lipstream.evaluation.progress import Progress, quietly
from lipstream.evaluation.recorded import (
    STILL_MESH,
    RecordedMeshes,
    RecordedMotion,
    RecordedMotions,
    moves_upper_face,
)
from lipstream.evaluation.reference_face import reference_face
from lipstream.evaluation.retimed import blendshapes_at
from lipstream.evaluation.vertex_score import VertexScore, VertexTally
from lipstream.evaluation.vertex_set import REFERENCE_SET, VertexSet
from lipstream.face.motion import Floats, Motion

__all__ = ["RECORDED", "RecordedTrial", "recorded_trial", "vertex_trial"]

RECORDED = "recorded"
"""Name of the recording itself among the contenders."""
_STAGE = "recorded motion"
_EXAMPLES = 2
_NO_UPPER_FACE = (
    "The recordings move neither eyes nor brows, so FDD, which is about them, would say nothing "
    "and is left out."
)


@dataclass(frozen=True, slots=True)
class RecordedTrial:
    scores: Mapping[str, VertexScore]
    """By contender."""
    examples: tuple[CurveExample, ...]
    notes: tuple[str, ...] = ()
    """What was left out, and why."""


def recorded_trial(
    corpus: RecordedMotions,
    contenders: Sequence[Contender],
    encoder: SpeechEncoder,
    beats: Mapping[str, BeatTally],
    progress: Progress = quietly,
) -> RecordedTrial:
    """Blendshapes, compared on the reference face.

    FDD is of the takes in which eyes or brows move; where there are none, it is left out.

    Args:
        beats: of each contender and of `RECORDED`, to which the takes are added.

    Raises:
        BadInput: there is no take with a frame.
    """
    face = reference_face()
    tallies = {c.name: VertexTally(REFERENCE_SET) for c in contenders}
    upper_faces = 0
    examples: list[CurveExample] = []
    for place, take in enumerate(corpus.takes):
        progress(_STAGE, place / max(corpus.count, 1))
        recorded, samples = _covered(take)
        if not len(recorded):
            continue
        heard = hear(unlabelled(take.name, samples), encoder)
        beats[RECORDED].add(samples, recorded)
        wanted = face.vertices(recorded.blendshapes)
        moves = moves_upper_face(recorded)
        upper_faces += moves
        openings = {RECORDED: _opening(wanted, REFERENCE_SET)}
        for contender in contenders:
            motion = contender.motion(heard, 0)
            if not len(motion):
                raise BadInput(f"The audio of {take.name} is shorter than a frame.")
            beats[contender.name].add(samples, motion)
            shown = face.vertices(blendshapes_at(motion, len(recorded), recorded.fps))
            tallies[contender.name].add(shown, wanted, face.neutral, recorded.fps, upper_face=moves)
            openings[contender.name] = _opening(shown, REFERENCE_SET)
        if len(examples) < _EXAMPLES:
            lines = {name: openings[name] for name in (RECORDED, *drawn(contenders))}
            examples.append(recorded_example(take.name, lines, recorded.fps, "mm"))
    progress(_STAGE, 1.0)
    return RecordedTrial(
        {name: tally.score() for name, tally in tallies.items()},
        tuple(examples),
        () if upper_faces else (_NO_UPPER_FACE,),
    )


def vertex_trial(
    corpus: RecordedMeshes,
    progress: Progress = quietly,
) -> RecordedTrial:
    """Vertices, compared on the corpus' own mesh: what was trained on it, and a still face.

    Raises:
        BadInput: there is no clip.
    """
    vertex_set = corpus.vertex_set
    contenders = (STILL_MESH, *corpus.trained)
    tallies = {c.name: VertexTally(vertex_set) for c in contenders}
    examples: list[CurveExample] = []
    for place, clip in enumerate(corpus.clips):
        progress(_STAGE, place / max(corpus.count, 1))
        openings = {}
        if vertex_set.upper_lip is not None:
            openings[RECORDED] = _opening(clip.vertices, vertex_set)
        for contender in contenders:
            shown = contender.vertices(clip)
            tallies[contender.name].add(shown, clip.vertices, clip.template, clip.fps)
            if openings:
                openings[contender.name] = _opening(shown, vertex_set)
        if openings and len(examples) < _EXAMPLES:
            examples.append(recorded_example(clip.name, openings, clip.fps, vertex_set.unit))
    progress(_STAGE, 1.0)
    return RecordedTrial(
        {name: tally.score() for name, tally in tallies.items()}, tuple(examples), corpus.notes
    )


def _covered(take: RecordedMotion) -> tuple[Motion, Samples]:
    """That which both motion and audio cover."""
    fps = take.motion.fps
    covered_s = min(len(take.motion) / fps, len(take.samples) / SAMPLE_RATE_HZ)
    frames, count = int(covered_s * fps + 1e-6), int(covered_s * SAMPLE_RATE_HZ)
    return take.motion[:frames], take.samples[:count]


def _opening(vertices: Floats, vertex_set: VertexSet) -> Floats:  # [T]
    return np.asarray(mouth_openings(vertices, vertex_set).mean(axis=1), np.float32)
