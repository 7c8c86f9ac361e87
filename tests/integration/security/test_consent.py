"""What record of consent an avatar needs, to be made and to be used."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.integration.security.conftest import Guarded


def _make(http: TestClient, headers: dict[str, str], **fields: str) -> Any:
    files = {"photo": ("me.jpg", b"not looked at: the stage is away")}
    return http.post("/v1/avatars", data={"name": "ada"} | fields, files=files, headers=headers)


@pytest.mark.parametrize(
    ("wanted", "fields", "remedy"),
    [
        ("statement", {}, "'consent'"),
        ("statement", {"consent": " a "}, "'consent'"),
        ("named", {"consent": "I am Ada."}, "'consent_by'"),
        ("named", {"consent_by": "Ada"}, "'consent'"),
        ("statement", {"consent": "I am Ada."}, ""),
        ("named", {"consent": "I am Ada.", "consent_by": "Ada"}, ""),
        ("off", {}, ""),
    ],
)
def test_a_refusal_names_what_is_missing(
    guarded: Guarded, wanted: str, fields: dict[str, str], remedy: str
) -> None:
    headers = guarded.key("acme")
    with guarded.http(consent=wanted) as http:
        answer = _make(http, headers, **fields)
    if not remedy:
        assert answer.status_code == 202, answer.text
        return
    assert (answer.status_code, answer.json()["code"]) == (422, "no_consent")
    assert remedy in answer.json()["remedy"]


def test_an_avatar_without_a_record_is_not_used(guarded: Guarded) -> None:
    headers = guarded.key("acme")
    guarded.add_avatar("acme.found", consent="")
    wanted = {"avatar": "found", "text": "Hello"}
    with guarded.http() as http:
        for answer in (
            http.post("/v1/videos", json=wanted, headers=headers),
            http.post("/v1/sessions", json={"avatar": "found"}, headers=headers),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "no_consent")
            assert "LIPSTREAM_CONSENT" in answer.json()["remedy"]
    with guarded.http(consent="off") as http:
        assert http.post("/v1/videos", json=wanted, headers=headers).status_code == 202
