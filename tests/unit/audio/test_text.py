from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipstream.audio.text import clean_text, split_text
from lipstream.errors import BadInput


def test_short_text_stays_whole() -> None:
    assert list(split_text("One. Two. Three.")) == ["One. Two. Three."]


def test_cuts_fall_on_sentences() -> None:
    text = " ".join(["It is a truth, universally acknowledged."] * 30)
    pieces = list(split_text(text))
    assert len(pieces) > 2
    assert all(piece.endswith("acknowledged.") for piece in pieces)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=3_000))
def test_nothing_is_lost_and_pieces_are_bounded(text: str) -> None:
    pieces = list(split_text(text))
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(piece.strip() and len(piece.encode()) <= 600 for piece in pieces)


@given(st.text(max_size=500))
def test_cleaned_text_is_printable(text: str) -> None:
    try:
        cleaned = clean_text(text)
    except BadInput:
        return
    cleaned.encode()
    assert cleaned == cleaned.strip()
    assert all(c in "\n\t" or ord(c) >= 32 for c in cleaned)


@pytest.mark.parametrize("character", ["ส", "世", "x", "9", "😀"])
def test_long_words_are_broken(character: str) -> None:
    words = clean_text(character * 1_000).split()
    assert all(len(word.encode()) <= 150 for word in words)
    assert "".join(words) == character * 1_000
