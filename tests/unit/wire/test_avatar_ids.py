from __future__ import annotations

import pytest

from lipstream.errors import BadInput
from lipstream.wire.objects import LONGEST_AVATAR_ID, checked_avatar_id


@pytest.mark.parametrize("name", ["a", "grace", "0", "my-avatar_2", "x" * LONGEST_AVATAR_ID])
def test_slugs_pass(name: str) -> None:
    assert checked_avatar_id(name) == name


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
        "x" * (LONGEST_AVATAR_ID + 1),
        "x" * 100_000,
        "~",
        "con:",
        "%2e%2e",
    ],
)
def test_anything_else_is_refused_in_one_short_sentence(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        checked_avatar_id(name)
    assert caught.value.code == "bad_name"
    assert len(str(caught.value)) < 250
