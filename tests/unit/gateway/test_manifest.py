"""Manifests of batches: what is read, and what is said of lines that cannot be."""

from __future__ import annotations

import pytest

from lipstream.errors import BadInput, TooLarge
from lipstream.gateway.documents import VideoRequest
from lipstream.gateway.manifest import manifest_lines
from lipstream.gateway.refusals import UnsupportedMediaType


def lines(media_type: str, text: str, most: int = 100) -> list[VideoRequest | BadInput]:
    return list(manifest_lines(media_type, text.encode(), most))


def test_the_same_lines_in_each_form() -> None:
    as_lines = lines(
        "application/jsonl",
        '{"avatar": "me", "text": "Hi, you.", "fps": 30}\n\n{"avatar": "me", "text": "Bye."}\n',
    )
    as_csv = lines("text/csv", '\ufeffavatar,text,fps\r\nme,"Hi, you.",30\r\nme,Bye.,\r\n')
    as_json = lines(
        "application/json",
        '[{"avatar": "me", "text": "Hi, you.", "fps": 30}, {"avatar": "me", "text": "Bye."}]',
    )
    assert as_lines == as_csv == as_json
    first = as_lines[0]
    assert isinstance(first, VideoRequest)
    assert (first.text, first.fps, first.priority) == ("Hi, you.", 30, "batch")
    hurried = lines("text/csv", "avatar,text,priority\nme,Hi.,interactive\n")[0]
    assert isinstance(hurried, VideoRequest)
    assert hurried.priority == "interactive"


def test_a_line_that_cannot_be_used_says_why_and_the_others_go_on() -> None:
    read = lines(
        "application/jsonl",
        '{"avatar": "me"\n[1]\n{"avatar": "me", "text": "x", "size": 7}\n{"avatar": "me"}\n'
        '{"avatar": "me", "text": "Good."}\n',
    )
    said = [str(line) for line in read if isinstance(line, BadInput)]
    assert len(said) == 4
    assert "no JSON" in said[0]
    assert "no object" in said[1]
    assert "size" in said[2]
    assert "no text" in said[3]
    assert isinstance(read[4], VideoRequest)
    extra = lines("text/csv", "avatar,text\nme,a,b\nme,c\n")
    assert "more cells" in str(extra[0])
    assert isinstance(extra[1], VideoRequest)


@pytest.mark.parametrize(
    ("media_type", "body", "error", "sentence"),
    [
        ("image/png", b"x", UnsupportedMediaType, "content type"),
        ("text/csv", b"\xff\xfe", BadInput, "UTF-8"),
        ("text/csv", b"avatar,text\n", BadInput, "no lines"),
        ("text/csv", b'avatar\n"x', BadInput, "cannot be read"),
        ("application/json", b"{}", BadInput, "array"),
        ("application/json", b"{", BadInput, "array"),
        ("application/jsonl", b"{}\n{}\n{}", TooLarge, "3 lines; the limit is 2"),
    ],
)
def test_what_is_no_manifest(
    media_type: str, body: bytes, error: type[BadInput], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        manifest_lines(media_type, body, 2)
