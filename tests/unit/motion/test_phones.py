"""Labels of other systems in the one inventory."""

from __future__ import annotations

import pytest

from lipstream.motion.phones import Segment, fill_silences, from_arpabet, from_ipa


def test_arpabet_diphthongs_become_two_phones() -> None:
    segments = from_arpabet([(0.0, 1.0, "OW1")])
    assert [s.symbol for s in segments] == ["o", "uh"]
    assert segments[0].end_s == segments[1].start_s == 0.5
    assert segments[0].stress == 1


@pytest.mark.parametrize(
    ("name", "symbols"),
    [
        ("ˈiː", ["iy"]),
        ("tʃ", ["ch"]),
        ("aɪ", ["a", "ih"]),
        ("ɑ̃", ["aa"]),
        ("", ["sil"]),
        ("˧˥", []),
        ("Y", []),
    ],
)
def test_ipa_names(name: str, symbols: list[str]) -> None:
    assert [s.symbol for s in from_ipa([(0.0, 0.2, name)])] == symbols


def test_ipa_stress_is_kept() -> None:
    assert from_ipa([(0.0, 0.2, "ˌe")])[0].stress == 0.5


def test_unknown_arpabet_is_silence() -> None:
    assert from_arpabet([(0.0, 0.2, "+NOISE+")])[0].symbol == "sil"


def test_gaps_are_filled_with_silence() -> None:
    filled = fill_silences([Segment(0.2, 0.4, "aa"), Segment(0.6, 0.8, "t")], 1.0)
    assert [s.symbol for s in filled] == ["sil", "aa", "sil", "t", "sil"]
    assert filled[-1].end_s == 1.0
    assert fill_silences([], 0.5) == (Segment(0.0, 0.5, "sil"),)
