"""Rules of articulation: the mouth that phones derive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipstream.face.arkit import INDEX
from lipstream.motion.articulation import articulate, articulate_dense, to_frames
from lipstream.motion.controls import Control, aperture, lip_width, to_blendshapes
from lipstream.motion.phones import BILABIALS, SILENCE, SYMBOLS, TONGUE_SEEN, VOWELS, Segment

_SPEECH = st.lists(
    st.tuples(st.sampled_from([s for s in SYMBOLS if s != SILENCE]), st.floats(0.04, 0.25)),
    min_size=1,
    max_size=20,
)


def _sequence(phones: list[tuple[str, float]]) -> tuple[list[Segment], float]:
    start_s = 0.3
    segments = [Segment(0.0, start_s, SILENCE)]
    for symbol, duration_s in phones:
        segments.append(Segment(start_s, start_s + duration_s, symbol))
        start_s += duration_s
    segments.append(Segment(start_s, start_s + 0.5, SILENCE))
    return segments, start_s + 0.5


@settings(max_examples=60, deadline=None)
@given(_SPEECH)
def test_lips_are_shut_within_every_bilabial(phones: list[tuple[str, float]]) -> None:
    segments, duration_s = _sequence(phones)
    opening = aperture(articulate_dense(segments, duration_s))
    frames = aperture(articulate(segments, duration_s))
    for segment in segments:
        if segment.symbol in BILABIALS:
            first, last = int(segment.start_s * 100), int(segment.end_s * 100) + 1
            assert opening[first:last].min() < 0.05
            near = slice(max(round((segment.start_s - 0.03) * 25), 0), int(segment.end_s * 25) + 2)
            assert frames[near].min() < 0.05


@settings(max_examples=60, deadline=None)
@given(_SPEECH)
def test_controls_are_finite_and_in_range(phones: list[tuple[str, float]]) -> None:
    segments, duration_s = _sequence(phones)
    controls = articulate(segments, duration_s)
    assert controls.shape == (round(duration_s * 100) // 4, len(Control))
    assert np.isfinite(controls).all()
    assert controls.min() >= 0
    assert controls.max() <= 1


@pytest.mark.parametrize("vowel", ["aa", "ae", "a"])
def test_open_vowels_open_wider_than_close_ones(vowel: str) -> None:
    wide, _ = _sequence([("t", 0.1), (vowel, 0.2), ("t", 0.1)])
    narrow, duration_s = _sequence([("t", 0.1), ("iy", 0.2), ("t", 0.1)])
    assert aperture(articulate(wide, duration_s)).max() > 0.4
    assert (
        aperture(articulate(wide, duration_s)).max()
        > aperture(articulate(narrow, duration_s)).max()
    )


def test_rounded_vowels_narrow_the_mouth() -> None:
    widths = {}
    for vowel in ("uw", "iy"):
        segments, duration_s = _sequence([("t", 0.1), (vowel, 0.2), ("t", 0.1)])
        widths[vowel] = lip_width(articulate_dense(segments, duration_s))[50]
    assert widths["uw"] < -0.3 < 0.2 < widths["iy"]


def test_labiodentals_tuck_the_lower_lip() -> None:
    segments, duration_s = _sequence([("ah", 0.15), ("f", 0.1), ("ah", 0.15)])
    tuck = articulate(segments, duration_s)[:, Control.TUCK]
    assert tuck.max() > 0.7
    assert tuck[:8].max() < 0.1


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_tongue_is_seen_at_its_phones_alone(symbol: str) -> None:
    segments, duration_s = _sequence([("ah", 0.2), (symbol, 0.08), ("ah", 0.2)])
    tongue = articulate(segments, duration_s)[:, Control.TONGUE]
    if symbol in TONGUE_SEEN:
        assert tongue.max() > 0.3
        assert tongue[tongue < tongue.max() / 2].max() < 0.2  # soon gone again
    else:
        assert tongue.max() == 0


def test_the_tongue_comes_out_at_th_and_rises_at_l() -> None:
    out = {}
    for symbol in ("th", "l"):
        segments, duration_s = _sequence([("ah", 0.15), (symbol, 0.1), ("ah", 0.15)])
        out[symbol] = to_blendshapes(articulate(segments, duration_s))[:, INDEX["tongueOut"]].max()
    assert out["th"] > 2 * out["l"] > 0.15


def test_silence_rests() -> None:
    assert articulate([Segment(0.0, 2.0, SILENCE)], 2.0).max() == 0


def test_loud_vowels_open_wider() -> None:
    segments, duration_s = _sequence([("aa", 0.2), ("t", 0.1), ("aa", 0.2)])
    times_s = np.arange(int(duration_s * 16_000)) / 16_000
    samples = np.where(times_s < 0.55, 0.5, 0.05).astype(np.float32)
    jaw = articulate_dense(segments, duration_s, samples=samples)[:, Control.JAW]
    assert jaw[40] > 1.2 * jaw[70]


def test_a_closure_between_two_frames_is_not_lost() -> None:
    dense = np.zeros((40, len(Control)), np.float32)
    dense[9, Control.CLOSE] = 1
    assert to_frames(dense)[2, Control.CLOSE] == 1


@pytest.mark.parametrize("symbol", sorted(BILABIALS))
def test_blendshapes_of_a_closure_shut_the_lips(symbol: str) -> None:
    segments, duration_s = _sequence([("aa", 0.2), (symbol, 0.12), ("aa", 0.2)])
    controls = articulate(segments, duration_s)
    weights = to_blendshapes(controls)
    shut = int(np.argmax(controls[:, Control.CLOSE]))
    assert weights[shut, INDEX["jawOpen"]] == pytest.approx(
        weights[shut, INDEX["mouthClose"]], abs=0.02
    )
    assert weights[shut, INDEX["mouthLowerDownLeft"]] < 0.02
    assert weights.min() >= 0
    assert weights.max() <= 1


def test_every_symbol_has_targets() -> None:
    for symbol in SYMBOLS:
        segments, duration_s = _sequence([(symbol, 0.15)])
        moved = articulate(segments, duration_s).max()
        assert moved > (0.05 if symbol in VOWELS else -1)
