from __future__ import annotations

import pytest

from lipstream.errors import BadInput
from lipstream.wire.objects import LONGEST_AVATAR_ID, avatar_prefix, checked_avatar_id
from lipstream.wire.tenants import avatar_name, avatar_of, checked_tenant, tenant_of


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


def test_each_tenant_has_names_of_its_own() -> None:
    assert avatar_of("default", "grace") == "grace"
    assert avatar_of("acme", "grace") == "acme.grace"
    assert (avatar_name("acme.grace"), tenant_of("acme.grace")) == ("grace", "acme")
    assert (avatar_name("grace"), tenant_of("grace")) == ("grace", "default")
    assert avatar_prefix("acme.grace") == "avatars/acme.grace"
    for full_id in ("acme.grace", "default.grace", ".grace", "acme."):
        with pytest.raises(BadInput):
            avatar_of("other", full_id)


@pytest.mark.parametrize("tenant", ["", "-a", "A", "a.b", "a_b", "x" * 25, "../a"])
def test_names_that_no_tenant_can_have(tenant: str) -> None:
    with pytest.raises(BadInput):
        checked_tenant(tenant)
