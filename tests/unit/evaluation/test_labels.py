"""Readers of phone labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from lipstream.errors import BadInput, NotFound
from lipstream.evaluation.labelled import labelled_utterances
from lipstream.evaluation.labels import read_hts_labels, read_sphinx_json, read_text_grid
from tests.shared_data import shared_data

_LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1.2
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 1.2
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 1.2
            text = "say ""1"" now"
    item [2]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1.2
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.4
            text = ""
        intervals [2]:
            xmin = 0.4
            xmax = 0.9
            text = "AY1"
        intervals [3]:
            xmin = 0.9
            xmax = 1.2
            text = "M"
"""
_SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
1.2
<exists>
1
"IntervalTier"
"phones"
0
1.2
2
0
0.4
"ɑ"
0.4
1.2
"m"
"""


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.TextGrid"
    path.write_text(text, "utf-8")
    return path


def test_long_text_grids_are_read(tmp_path: Path) -> None:
    segments = read_text_grid(_write(tmp_path, _LONG))
    assert [s.symbol for s in segments] == ["sil", "a", "ih", "m"]
    assert (segments[-1].start_s, segments[-1].end_s) == (0.9, 1.2)


def test_short_text_grids_are_read(tmp_path: Path) -> None:
    segments = read_text_grid(_write(tmp_path, _SHORT))
    assert [(s.symbol, s.end_s) for s in segments] == [("aa", 0.4), ("m", 1.2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "no TextGrid"),
        (_LONG.replace('"phones"', '"tones"'), "no tier"),
        (_LONG[:-120], "ends inside"),
    ],
)
def test_damaged_text_grids_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_text_grid(_write(tmp_path, text))


def test_hts_labels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a_phone.lab"
    path.write_text("0 1300000 x^x-sil+hh=iy@x\n1300000 2050000 x^sil-m+iy=t@1\n")
    segments = read_hts_labels(path)
    assert [(s.symbol, round(s.end_s, 3)) for s in segments] == [("sil", 0.13), ("m", 0.205)]


def test_sphinx_json_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.phone.json"
    path.write_text('{"w":[{"t":"me","w":[{"b":0.1,"d":0.1,"t":"M"},{"b":0.2,"d":0.2,"t":"IY"}]}]}')
    assert [s.symbol for s in read_sphinx_json(path)] == ["m", "iy"]
    path.write_text("[]")
    with pytest.raises(BadInput, match="no pocketsphinx alignment"):
        read_sphinx_json(path)


def test_labelled_recordings_are_found() -> None:
    utterances = list(labelled_utterances(shared_data("phonemes")))
    assert len(utterances) >= 10
    for utterance in utterances:
        assert utterance.segments[-1].end_s <= utterance.duration_s + 0.1


def test_a_folder_without_labels_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="No labelled speech"):
        list(labelled_utterances(tmp_path))
