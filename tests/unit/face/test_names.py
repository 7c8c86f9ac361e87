from __future__ import annotations

import pytest

from lipstream.errors import BadInput
from lipstream.face.names import MAX_NAME_LENGTH, validate_avatar_name


@pytest.mark.parametrize("name", ["a", "grace", "0", "my-avatar_2", "x" * MAX_NAME_LENGTH])
def test_slugs_pass(name: str) -> None:
    assert validate_avatar_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-a",
        "_a",
        "A",
        "grace hopper",
        "../etc/passwd",
        "a/b",
        "a\\b",
        "a.zip",
        "ä",
        "a\n",
        "a\x00",
        "x" * (MAX_NAME_LENGTH + 1),
        "x" * 100_000,
        "~",
        "con:",
        "%2e%2e",
    ],
)
def test_anything_else_is_refused_in_one_short_sentence(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        validate_avatar_name(name)
    assert caught.value.code == "bad_name"
    assert len(str(caught.value)) < 250
