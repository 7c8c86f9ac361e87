"""Known mouths give known figures; wrong speech is told from right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipstream.errors import BadInput
from lipstream.evaluation.video.score import Held, VideoScore, score_video
from lipstream.evaluation.video.separation import SWAPPED, separate
from lipstream.evaluation.video.sight import SHUT_FLOOR_MM, SHUT_SHARE, Sight
from lipstream.evaluation.video.wrong_speech import cut_to, shifted
from tests.unit.evaluation.video.actor import speak_on_camera
from tests.unit.motion.spoken import SENTENCES, spoken


def _sights(fps: float = 25.0, opens_mm: float = 30.0) -> list[Sight]:
    return [
        Sight.of_video(speak_on_camera(spoken(text), fps, opens_mm), spoken(text))
        for text in SENTENCES
    ]


def _score(sights: list[Sight], shift_ms: int = 0) -> VideoScore:
    return score_video(Held(sight, shifted(sight.speech, shift_ms)) for sight in sights)


@pytest.mark.parametrize("fps", [25.0, 30.0, 50.0])
def test_the_rules_own_mouth_scores_full_marks_on_camera(fps: float) -> None:
    result = _score(_sights(fps))
    assert result.clips == 4
    assert result.pbm_count >= 10
    assert result.pbm_closed == 1
    assert result.closed_on_open_vowels == 0
    assert result.closed_elsewhere == 0
    assert result.pbm_nearer > 0.95
    assert result.rounded_narrower > 0.95
    # Each clip is scaled by its own range, the rules are not, so the pool agrees a little less.
    assert min(result.opening_r, result.width_r) > 0.95
    assert result.agreement == pytest.approx((result.opening_r + result.width_r) / 2)
    assert result.best_lag_ms == 0
    assert abs(result.closure_offset_ms) <= 15
    assert result.pbm_gap_mm < 1 < result.open_vowel_gap_mm


def test_a_known_curve_has_exact_figures() -> None:
    for sight in _sights():
        result = _score([sight])
        assert result.opening_r == pytest.approx(1, abs=1e-4)
        assert result.width_r == pytest.approx(1, abs=1e-4)
        assert result.best_lag_ms == 0


@pytest.mark.parametrize("shift_ms", [-200, -80, 40, 120, 240])
def test_moved_speech_moves_the_lag_by_just_as_much(shift_ms: int) -> None:
    assert _score(_sights(), shift_ms).best_lag_ms == -shift_ms


def test_shares_do_not_depend_on_how_wide_a_mouth_opens() -> None:
    wide, narrow = _score(_sights(opens_mm=30)), _score(_sights(opens_mm=15))
    assert narrow.pbm_closed == wide.pbm_closed
    assert narrow.closed_elsewhere == wide.closed_elsewhere
    assert narrow.open_vowel_gap_mm == pytest.approx(wide.open_vowel_gap_mm / 2, rel=1e-3)


@pytest.mark.parametrize(("beside_mm", "closed"), [(-0.05, 1.0), (0.05, 0.0)])
def test_lips_are_shut_below_a_share_of_the_speakers_own_opening(
    beside_mm: float, closed: float
) -> None:
    speech = spoken(SENTENCES[0])
    mouth = speak_on_camera(speech)
    wide_mm = 16.0
    gap_mm = np.full(len(mouth.gap_mm), wide_mm)
    always = replace(mouth, gap_mm=gap_mm)
    assert Sight.of_video(always, speech).shut_mm == pytest.approx(SHUT_SHARE * wide_mm)
    for segment in speech.segments:
        if segment.symbol in {"p", "b", "m"}:
            near = np.abs(mouth.times_s - (segment.start_s + segment.end_s) / 2) < 0.06
            gap_mm[near] = SHUT_SHARE * wide_mm + beside_mm
    score = score_video([Held(Sight.of_video(replace(mouth, gap_mm=gap_mm), speech), speech)])
    assert score.pbm_closed == closed


def test_who_mumbles_is_not_measured_below_what_can_be_seen() -> None:
    sight = Sight.of_video(speak_on_camera(spoken(), opens_mm=3), spoken())
    assert sight.shut_mm == SHUT_FLOOR_MM


def test_right_speech_is_told_from_moved_and_swapped() -> None:
    found = separate(_sights(), (-400, -200, 200, 400), swap=True)
    assert list(found.controls) == ["-400 ms", "-200 ms", "+200 ms", "+400 ms", SWAPPED]
    assert len(found.by_clip) == len(SENTENCES)
    for control in found.controls.values():
        assert control.clips_beaten == control.clips_beaten_by_all == len(SENTENCES)
        assert control.pooled.agreement < 0.5 < found.true.agreement
        assert control.pooled.pbm_closed < found.true.pbm_closed
    lowest, highest = found.controls[SWAPPED].pooled_range
    assert lowest <= found.controls[SWAPPED].pooled.agreement <= highest


def test_a_single_clip_cannot_be_swapped() -> None:
    with pytest.raises(BadInput, match="single clip"):
        separate(_sights()[:1], swap=True)


def test_moved_speech_keeps_sound_and_labels_together() -> None:
    speech = spoken()
    for shift_ms in (-300, 300):
        other = shifted(speech, shift_ms)
        by = round(shift_ms * 16)
        kept = slice(max(by, 0), len(speech.samples) + min(by, 0))
        source = slice(max(-by, 0), len(speech.samples) - max(by, 0))
        assert np.array_equal(other.samples[kept], speech.samples[source])
        first = other.segments[-1] if shift_ms < 0 else other.segments[0]
        origin = speech.segments[-1] if shift_ms < 0 else speech.segments[0]
        assert first.start_s == pytest.approx(origin.start_s + shift_ms / 1000)


def test_others_speech_is_made_as_long_as_the_clip() -> None:
    speech = spoken()
    short, long = cut_to(speech, 16_000), cut_to(speech, 160_000)
    assert (len(short.samples), len(long.samples)) == (16_000, 160_000)
    assert short.segments == tuple(s for s in speech.segments if (s.start_s + s.end_s) / 2 < 1)
    assert long.segments == speech.segments


def test_speech_outside_the_pictures_is_refused() -> None:
    speech = spoken()
    segments = tuple(
        replace(s, start_s=s.start_s + 60, end_s=s.end_s + 60) for s in speech.segments
    )
    late = replace(speech, segments=segments)
    with pytest.raises(BadInput, match="None of the labelled speech"):
        Sight.of_video(speak_on_camera(speech), late)
