"""Labelled speech: do the lips say what is heard, and do they rest in pauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lipstream.audio.encoder import SpeechEncoder
from lipstream.evaluation.beats import BeatTally
from lipstream.evaluation.contenders import LABELS, Contender, drawn, from_labels, hear
from lipstream.evaluation.curve_example import CurveExample, labelled_example
from lipstream.evaluation.lip_track import LipTrack
from lipstream.evaluation.lips import LipScore, Scored, score
from lipstream.evaluation.pauses import pauses_s
from lipstream.evaluation.progress import Progress, quietly
from lipstream.evaluation.reference_face import reference_face
from lipstream.evaluation.rest import RestScore, rest_score
from lipstream.evaluation.retimed import blendshapes_at
from lipstream.evaluation.utterance import Utterance
from lipstream.evaluation.vertex_score import VertexScore, VertexTally
from lipstream.evaluation.vertex_set import REFERENCE_SET
from lipstream.face.motion import Motion

__all__ = ["LabelledTrial", "labelled_trial"]

_STAGE = "labelled speech"


@dataclass(frozen=True, slots=True)
class LabelledTrial:
    """By contender."""

    lip_sync: Mapping[str, LipScore]
    derived: Mapping[str, VertexScore]
    """Against the mouth that the labels derive, on the reference face; it has no upper face."""
    pauses: Mapping[str, RestScore]
    examples: tuple[CurveExample, ...]


def labelled_trial(
    utterances: Sequence[Utterance],
    contenders: Sequence[Contender],
    encoder: SpeechEncoder,
    beats: Mapping[str, BeatTally],
    progress: Progress = quietly,
) -> LabelledTrial:
    """
    Args:
        beats: of each contender, to which this speech is added.

    Raises:
        BadInput: there is no speech to score.
    """
    scored: dict[str, list[Scored]] = {c.name: [] for c in contenders}
    resting: dict[str, list[Motion]] = {c.name: [] for c in contenders}
    tallies = {c.name: VertexTally(REFERENCE_SET) for c in contenders}
    shown = {0, len(utterances) // 2}
    examples = []
    for place, utterance in enumerate(utterances):
        progress(_STAGE, place / len(utterances))
        heard = hear(utterance, encoder)
        reference = from_labels(utterance)
        derived = LABELS.motion(heard, 0)
        tracks = {}
        for contender in contenders:
            motion = contender.motion(heard, 0)
            track = LipTrack.from_motion(motion)
            tracks[contender.name] = track
            scored[contender.name].append(Scored(track, reference, utterance.segments))
            resting[contender.name] += _in_pauses(motion, utterance)
            _compare(tallies[contender.name], motion, derived)
            beats[contender.name].add(utterance.waveform, motion)
        if place in shown:
            lines = {name: tracks[name] for name in drawn(contenders)}
            examples.append(labelled_example(utterance.name, utterance.segments, lines))
    progress(_STAGE, 1.0)
    return LabelledTrial(
        {name: score(items) for name, items in scored.items()},
        {name: tally.score() for name, tally in tallies.items()},
        {name: rest_score(Motion.concatenate(parts)) for name, parts in resting.items()},
        tuple(examples),
    )


def _in_pauses(motion: Motion, utterance: Utterance) -> list[Motion]:
    return [
        motion[round(start_s * motion.fps) : round(end_s * motion.fps)]
        for start_s, end_s in pauses_s(utterance)
    ]


def _compare(tally: VertexTally, motion: Motion, derived: Motion) -> None:
    if not len(motion) or not len(derived):
        return
    face = reference_face()
    tally.add(
        face.vertices(blendshapes_at(motion, len(derived), derived.fps)),
        face.vertices(derived.blendshapes),
        face.neutral,
        derived.fps,
        upper_face=False,
    )
