"""API keys: asked for, looked at, kept as digests, rotated and revoked."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lipstream.cli.app import app
from tests.integration.redis_process import RedisProcess
from tests.integration.security.conftest import Guarded, bearer


def test_without_a_key_nothing_but_the_page_and_the_probes(guarded: Guarded) -> None:
    with guarded.http() as http:
        for path in ("/v1/videos", "/v1/avatars", "/v1/avatars/a/preview", "/v1/sessions/abc"):
            answer = http.get(path)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["code"] == "no_key"
        assert http.post("/v1/sessions", json={"avatar": "a"}).status_code == 401
        assert http.post("/v1/videos", json={"avatar": "a", "text": "hi"}).status_code == 401
        for wrong in ("x", "lsk_abcdefghijkl_" + "A" * 43, "lsk_"):
            refused = http.get("/v1/videos", headers=bearer(wrong))
            assert (refused.status_code, refused.json()["code"]) == (401, "bad_key")
        for path in ("/", "/docs", "/healthz", "/readyz", "/openapi.json"):
            assert http.get(path).status_code == 200


def test_every_route_of_the_interface_asks(guarded: Guarded) -> None:
    with guarded.http() as http:
        schema = http.get("/openapi.json").json()
    unasked = {
        f"{method} {path}"
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/v1/") and not operation.get("security")
    }
    assert unasked == {"post /v1/sessions/{session_id}/webrtc"}  # takes the session's token


def test_a_key_opens_its_scopes_only(guarded: Guarded) -> None:
    videos, admin = guarded.key("acme", "videos"), guarded.key("acme", "admin")
    with guarded.http() as http:
        assert http.get("/v1/videos", headers=videos).status_code == 200
        refused = http.get("/v1/avatars", headers=videos)
        assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
        assert http.get("/v1/avatars", headers=admin).status_code == 200


def test_without_auth_no_key_is_looked_at(guarded: Guarded) -> None:
    with guarded.http(auth="off") as http:
        assert http.get("/v1/videos", headers=bearer("nonsense")).status_code == 200


def test_redis_never_holds_a_key(guarded: Guarded, redis_server: RedisProcess) -> None:
    text = guarded.key("acme")["Authorization"].removeprefix("Bearer ")
    secret = text[len("lsk_") + 12 + 1 :]
    client = redis_server.client()
    kept = [client.hgetall(key) for key in client.scan_iter("*api-key:*")]
    client.close()
    assert kept
    assert secret not in str(kept)


def test_both_keys_of_a_rotation_work_until_the_grace_is_over(guarded: Guarded) -> None:
    old, text = guarded.keys(lambda keys: keys.create("acme", ["videos"], name="ci"))
    new, other = guarded.keys(lambda keys: keys.rotate(old.id, grace_s=0.2))
    assert (new.tenant, new.scopes, new.name) == (old.tenant, old.scopes, "ci")
    with guarded.http() as http:
        answers = [http.get("/v1/videos", headers=bearer(key)) for key in (text, other)]
        assert answers[1].status_code == 200
        give_up_s = time.monotonic() + 10
        while (gone := http.get("/v1/videos", headers=bearer(text))).status_code == 200:
            assert time.monotonic() < give_up_s
        assert gone.json()["code"] == "expired_key"
        assert http.get("/v1/videos", headers=bearer(other)).status_code == 200
        guarded.keys(lambda keys: keys.revoke(new.id))
        revoked = http.get("/v1/videos", headers=bearer(other))
        assert (revoked.status_code, revoked.json()["code"]) == (401, "bad_key")


def test_the_command_makes_lists_rotates_and_revokes(
    guarded: Guarded, redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPSTREAM_REDIS", redis_server.url)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["keys", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    made = run("create", "--tenant", "acme", "--scope", "videos", "--lasts", "90d")
    text = made.split()[-1]
    with guarded.http() as http:
        assert http.get("/v1/videos", headers=bearer(text)).status_code == 200
    key_id = text.split("_")[1]
    listed = run("list")
    assert key_id in listed
    assert "acme" in listed
    assert text not in listed
    rotated = run("rotate", key_id, "--grace", "1h")
    assert rotated.split()[-1].startswith("lsk_")
    assert "Revoked" in run("revoke", key_id)
    assert key_id not in run("list")
    bad = CliRunner().invoke(app, ["keys", "create", "--scope", "everything"])
    assert "is no scope" in str(bad.exception)


def test_the_command_finds_the_stack_of_the_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LIPSTREAM_REDIS", raising=False)
    monkeypatch.setenv("LIPSTREAM_DATA_DIR", str(tmp_path))
    nothing = CliRunner().invoke(app, ["keys", "list"])
    assert "No stack runs" in str(nothing.exception)
