"""Generators and the marks beside them, through all trials for which there is material."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from lipstream.audio.encoder import SpeechEncoder
from lipstream.errors import NotFound
from lipstream.evaluation.beats import BeatTally
from lipstream.evaluation.contenders import (
    LABELS,
    LOUDNESS,
    STILL,
    Contender,
    generated,
    unlabelled,
)
from lipstream.evaluation.figures import Figures
from lipstream.evaluation.pauses import PAUSES
from lipstream.evaluation.progress import Progress, quietly
from lipstream.evaluation.recorded import RecordedMeshes, RecordedMotions
from lipstream.evaluation.rest import RestScore
from lipstream.evaluation.trials.labelled import LabelledTrial, labelled_trial
from lipstream.evaluation.trials.quiet import QuietTrial, quiet_trial
from lipstream.evaluation.trials.recorded import (
    RECORDED,
    RecordedTrial,
    recorded_trial,
    vertex_trial,
)
from lipstream.evaluation.trials.repeated import REPEATED_RECORDINGS, repeated_trial
from lipstream.evaluation.utterance import Utterance
from lipstream.motion.generators import BASELINE, DEFAULT_GENERATOR, open_generator

__all__ = ["Material", "MotionEvaluation", "evaluate_motion", "open_contenders"]


@dataclass(frozen=True, slots=True)
class Material:
    """What to evaluate on; at least one of both."""

    labelled: Sequence[Utterance] = ()
    recorded: RecordedMotions | RecordedMeshes | None = None


@dataclass(frozen=True, slots=True)
class MotionEvaluation:
    """Figures of every contender, and what a report shows beside them."""

    figures: tuple[Figures, ...]
    labelled: LabelledTrial | None
    recorded: RecordedTrial | None
    quiet: QuietTrial


def open_contenders(
    generators: Sequence[str], look_aheads_ms: Sequence[int]
) -> tuple[Contender, ...]:
    """The generators named at each look-ahead, the regression baseline always among them.

    Raises:
        BadInput: there is no such generator, or not with this look-ahead.
    """
    names = dict.fromkeys((BASELINE, *(generators or [DEFAULT_GENERATOR])))
    return tuple(
        generated(name, open_generator(name, look_ahead_ms=ms))
        for name in names
        for ms in dict.fromkeys(look_aheads_ms)
    )


def evaluate_motion(
    material: Material, generators: Sequence[Contender], progress: Progress = quietly
) -> MotionEvaluation:
    """
    Raises:
        NotFound: there is no material.
        BadInput: a part of it cannot be used.
    """
    if not material.labelled and material.recorded is None:
        raise NotFound(
            "There is neither labelled speech nor recorded motion to evaluate on.",
            remedy="Name a folder with --labelled, --corpus or --motion-corpus.",
        )
    encoder = SpeechEncoder()
    if isinstance(material.recorded, RecordedMotions):
        generators = (*generators, *material.recorded.trained)
    contenders = (LABELS, LOUDNESS, STILL, *generators)
    beats = {name: BeatTally() for name in (RECORDED, *(c.name for c in contenders))}
    labelled = recorded = None
    if material.labelled:
        spoken = (LABELS, LOUDNESS, *generators)
        labelled = labelled_trial(material.labelled, spoken, encoder, beats, progress)
    if isinstance(material.recorded, RecordedMotions):
        seen = (LOUDNESS, STILL, *generators)
        recorded = recorded_trial(material.recorded, seen, encoder, beats, progress)
    elif material.recorded is not None:
        recorded = vertex_trial(material.recorded, progress)
    quiet = quiet_trial((LOUDNESS, *generators), encoder, progress)
    varied = repeated_trial(_repeated(material), generators, encoder, progress)

    speaks = bool(material.labelled) or isinstance(material.recorded, RecordedMotions)

    def figures(contender: Contender) -> Figures:
        name = contender.name
        rest: dict[str, RestScore] = dict(quiet.scores.get(name, {}))
        if labelled and name in labelled.pauses and labelled.pauses[name].frames:
            rest[PAUSES] = labelled.pauses[name]
        return Figures(
            name,
            contender.generator,
            contender.look_ahead_ms,
            lip_sync=labelled.lip_sync.get(name) if labelled else None,
            against_labels=labelled.derived.get(name) if labelled else None,
            against_recorded=recorded.scores.get(name) if recorded else None,
            beats=beats[name].score() if contender.generator and speaks else None,
            diversity=varied.get(name),
            rest=rest,
        )

    columns = [figures(contender) for contender in contenders]
    if recorded:
        known = {column.name for column in columns}
        columns += [
            Figures(name, name, against_recorded=score)
            for name, score in recorded.scores.items()
            if name not in known
        ]
    of_recording = beats[RECORDED].score()
    if of_recording.motion_beats_per_s:
        columns.append(Figures(RECORDED, beats=of_recording))
    measured = [f for f in columns if f.lip_sync or f.against_recorded or f.beats or f.rest]
    return MotionEvaluation(tuple(measured), labelled, recorded, quiet)


def _repeated(material: Material) -> Sequence[Utterance]:
    if material.labelled or not isinstance(material.recorded, RecordedMotions):
        return material.labelled
    takes = islice(material.recorded.takes, REPEATED_RECORDINGS)
    return [unlabelled(take.name, take.samples) for take in takes]
