"""Contenders against recorded faces, of blendshapes and of vertices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipstream.audio.encoder import SpeechEncoder
from lipstream.evaluation.beats import BeatTally
from lipstream.evaluation.contenders import STILL, Contender
from lipstream.evaluation.motion_evaluation import Material, evaluate_motion
from lipstream.evaluation.recorded import (
    MeshContender,
    RecordedMeshes,
    RecordedMotion,
    RecordedMotions,
    RecordedVertices,
    moves_upper_face,
)
from lipstream.evaluation.trials.recorded import RECORDED, RecordedTrial, recorded_trial
from lipstream.evaluation.vertex_set import VertexSet
from lipstream.face.arkit import INDEX
from lipstream.face.motion import Motion

_SECONDS = 3


def _take(*, brows: bool) -> RecordedMotion:
    motion = Motion.rest(_SECONDS * 30, 30.0)
    shapes = motion.blendshapes.copy()
    swing = np.sin(np.arange(len(motion)) / 4) ** 2
    shapes[:, INDEX["jawOpen"]] = 0.5 * swing
    shapes[:, INDEX["browInnerUp"]] = brows * swing
    samples = np.sin(np.arange(_SECONDS * 16_000) / 9).astype(np.float32) * 0.1
    return RecordedMotion("take", replace(motion, blendshapes=shapes), samples)


def _run(take: RecordedMotion) -> RecordedTrial:
    copy = Contender("copy", lambda heard, seed: take.motion)
    beats = {name: BeatTally() for name in (RECORDED, "copy", "still")}
    corpus = RecordedMotions("takes", [take], 1)
    return recorded_trial(corpus, [copy, STILL], SpeechEncoder(), beats)


@pytest.mark.parametrize("brows", [True, False])
def test_a_copy_has_no_error_and_a_still_face_all_of_it(brows: bool) -> None:
    take = _take(brows=brows)
    assert moves_upper_face(take.motion) is brows
    trial = _run(take)
    copy, still = trial.scores["copy"], trial.scores["still"]
    assert copy.lve == copy.mod == 0
    assert copy.opening_r == pytest.approx(1)
    assert copy.opening_amplitude == pytest.approx(1)
    assert still.lve is not None
    assert still.mod is not None
    assert still.lve > 20
    assert still.mod > 3
    assert still.opening_amplitude == 0
    if brows:
        assert copy.fdd == 0
        assert still.fdd is not None
        assert still.fdd > 0.5, "too still"
        assert not trial.notes
    else:
        assert copy.fdd is still.fdd is None
        assert "neither eyes nor brows" in trial.notes[0]
    assert list(trial.examples[0].curves) == [RECORDED, "copy", "still"]


def test_a_mesh_is_compared_in_its_own_unit() -> None:
    template = np.zeros((4, 3), np.float32)
    vertices = np.zeros((50, 4, 3), np.float32)
    vertices[:, 0, 1] = 2.0
    clip = RecordedVertices("x", vertices, template, np.zeros(32_000, np.float32), 25.0)
    half = MeshContender("half", lambda c: c.vertices / 2)
    indices = VertexSet("cm", lips=np.array([0]), upper_face=np.array([3]))
    corpus = RecordedMeshes("mesh", [clip], 1, indices, (half,), ("a note",))
    evaluation = evaluate_motion(Material(recorded=corpus), [])
    figures = {f.name: f for f in evaluation.figures}
    assert figures["still"].against_recorded is not None
    assert figures["half"].against_recorded is not None
    assert figures["still"].against_recorded.lve == 4
    assert figures["half"].as_json()["against_recorded"]["lve_cm2"] == 1
    assert figures["half"].as_json()["against_recorded"]["fdd_cm2"] == 0
    assert evaluation.recorded is not None
    assert evaluation.recorded.notes == ("a note",)
