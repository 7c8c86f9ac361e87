"""The evaluation as a whole on synthesised speech, its table, JSON and report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lipstream.errors import BadInput, NotFound
from lipstream.evaluation import quiet_sounds
from lipstream.evaluation.figure_table import NOT_KNOWN, figure_rows
from lipstream.evaluation.figures import Figures
from lipstream.evaluation.labelled import labelled_utterances
from lipstream.evaluation.motion_evaluation import (
    Material,
    MotionEvaluation,
    evaluate_motion,
    open_contenders,
)
from lipstream.evaluation.motion_report import write_motion_report
from tests.shared_data import shared_data
from tests.unit.motion.spoken import SENTENCES, spoken


@pytest.fixture(scope="module")
def evaluation() -> MotionEvaluation:
    material = Material([spoken(text) for text in SENTENCES])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quiet_sounds, "QUIET_SOUND_S", 1.0)
        return evaluate_motion(material, open_contenders(["baseline"], [40, 80]))


def test_each_contender_has_what_concerns_it(evaluation: MotionEvaluation) -> None:
    figures = {f.name: f for f in evaluation.figures}
    assert list(figures) == ["labels", "loudness", "baseline, 40 ms", "baseline, 80 ms"]
    labels, baseline = figures["labels"], figures["baseline, 80 ms"]
    assert labels.lip_sync is not None
    assert labels.lip_sync.pbm_closed == 1
    assert labels.lip_sync.aperture_r > 0.999
    assert labels.against_labels is not None
    assert labels.against_labels.lve == 0
    assert labels.beats is None
    assert labels.diversity is None
    assert baseline.lip_sync is not None
    assert baseline.lip_sync.aperture_r > 0.6
    assert baseline.beats is not None
    assert baseline.beats.motion_beats_per_s > 0.2
    assert baseline.diversity is not None
    assert baseline.diversity.mouth == 0, "the seed decides the idle face alone"
    assert baseline.rest["silence"].largest == 0
    assert (baseline.generator, baseline.look_ahead_ms) == ("baseline", 80)


def test_json_has_no_nan(evaluation: MotionEvaluation) -> None:
    for figures in evaluation.figures:
        document = figures.as_json()
        text = json.dumps(document, allow_nan=False)
        assert "against_labels" in text
        assert "white_noise" in document["rest"] or figures.name == "labels"


def test_rows_without_figures_are_left_out(evaluation: MotionEvaluation) -> None:
    rows = list(figure_rows(evaluation.figures))
    sections = list(dict.fromkeys(row.section for row in rows))
    assert "against recorded motion" not in sections
    assert sections[:2] == ["lip-sync", "against the labels' mouth"]
    assert all(len(row.values) == 4 for row in rows)
    assert all(set(row.values) != {NOT_KNOWN} for row in rows)
    assert not list(figure_rows([Figures("nothing")]))


def test_the_report_shows_its_plots(evaluation: MotionEvaluation, tmp_path: Path) -> None:
    page, *plots = write_motion_report(evaluation, tmp_path / "deep" / "report", ["4 utterances"])
    text = page.read_text("utf-8")
    assert "- 4 utterances" in text
    assert "| p, b, m closed | 1.000 |" in text
    assert {p.name for p in plots} == {"events.png", "opening_1.png", "opening_2.png", "rest.png"}
    for plot in plots:
        assert f"]({plot.name})" in text
        assert np.asarray(Image.open(plot).convert("L")).std() > 10, "something is drawn"


def test_what_is_missing_is_said() -> None:
    with pytest.raises(NotFound, match="neither labelled speech nor recorded motion"):
        evaluate_motion(Material(), [])
    with pytest.raises(BadInput, match="no motion generator"):
        open_contenders(["nobody"], [80])


def test_the_baseline_is_always_there() -> None:
    names = [c.name for c in open_contenders(["streaming_talker", "baseline"], [80, 80])]
    assert names == ["baseline, 80 ms", "streaming_talker, 80 ms"]


def test_the_committed_weights_read_on_real_speech() -> None:
    utterances = list(labelled_utterances(shared_data("phonemes")))
    result = evaluate_motion(Material(utterances), open_contenders([], [80]))
    by_name = {f.name: f for f in result.figures}
    loudness = by_name["loudness"].lip_sync
    assert loudness is not None
    for name in ("baseline, 80 ms", "streaming_talker, 80 ms"):
        figures = by_name[name].lip_sync
        assert figures is not None
        assert figures.pbm_closed > 0.75
        assert figures.closed_elsewhere < 0.04
        assert figures.closed_on_open_vowels < 0.12
        assert figures.fv_tucked > 0.7
        assert figures.tongue_seen > 0.6
        assert figures.tongue_elsewhere < 0.06
        assert figures.rounded_narrower > 0.9
        assert abs(figures.best_lag_ms) <= 20
        assert abs(figures.closure_offset_ms) <= 20
        assert figures.aperture_r > loudness.aperture_r
        assert figures.aperture_r == pytest.approx(0.7, abs=0.15)
