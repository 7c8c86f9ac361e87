"""The yardstick: real people on film agree with what they say, and not with anything else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lipstream.evaluation.commands import app
from tests.shared_data import shared_data

_CLIPS = ("brbk7n.mpg", "lwbsza.mpg", "pwij3p.mpg")


def _evaluate(*arguments: str, json_file: Path) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["video", *arguments, "--json", str(json_file)])
    assert result.exit_code == 0, result.output or result.exception
    found: dict[str, Any] = json.loads(json_file.read_text())
    return found


def test_real_people_agree_with_their_own_speech_alone(tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx")
    grid = shared_data("talking-video", "grid")
    files = [str(grid / name) for name in _CLIPS]
    people = _evaluate(*files, json_file=tmp_path / "people.json")["video"]
    true = people["true"]
    assert true["pbm_count"] == 5
    assert true["pbm_closed"] == 1
    assert true["pbm_gap_mm"] < 0.6 < 5 < true["open_vowel_gap_mm"]
    assert true["agreement"] > 0.5
    assert abs(true["best_lag_ms"]) <= 40
    assert set(people["controls"]) == {"-400 ms", "-200 ms", "+200 ms", "+400 ms", "swapped"}
    for control in people["controls"].values():
        assert control["pooled_range"][1] < true["agreement"] - 0.2
        assert control["pooled"]["pbm_closed"] < 0.7
        assert control["clips_beaten_by_all"] == len(_CLIPS)


def test_an_avatar_is_rendered_and_looked_at(tmp_path: Path) -> None:
    speech = shared_data("phonemes", "praatio")
    for name in ("mary.wav", "mary.TextGrid"):
        shutil.copy(speech / name, tmp_path / name)
    found = _evaluate(
        *(str(tmp_path / "mary.wav"), "--render", "--size", "256", "--fps", "30"),
        *("--keep", str(tmp_path / "kept"), "--draw", str(tmp_path / "drawn")),
        json_file=tmp_path / "avatar.json",
    )
    assert set(found) == {"streaming_talker 80 ms, video", "streaming_talker 80 ms, motion"}
    seen, meant = (found[f"streaming_talker 80 ms, {what}"]["true"] for what in ("video", "motion"))
    assert seen["pbm_count"] == meant["pbm_count"] > 0
    assert abs(seen["best_lag_ms"] - meant["best_lag_ms"]) <= 20
    assert abs(seen["opening_r"] - meant["opening_r"]) < 0.3
    (clip,) = found["streaming_talker 80 ms, video"]["clips"]
    assert clip["seen_share"] == 1
    assert clip["fps"] == pytest.approx(30, abs=0.1)
    assert list((tmp_path / "kept").glob("mary-streaming_talker-80-ms.mp4"))
    assert list((tmp_path / "drawn").glob("mary-*.png"))
