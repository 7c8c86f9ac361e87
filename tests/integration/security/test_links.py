"""Signed links: one thing, for a while, to be read only."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from lipstream.gateway.signed_links import LinkSigner
from lipstream.pipeline import JobKind
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.job import Job, JobStatus
from tests.integration.redis_process import RedisProcess
from tests.integration.security.conftest import PICTURE, Guarded


def test_a_link_opens_one_thing_without_a_key(guarded: Guarded) -> None:
    headers = guarded.key("acme")
    guarded.add_avatar("acme.grace")
    guarded.add_avatar("acme.ada")
    with guarded.http() as http:
        document = http.get("/v1/avatars/grace", headers=headers).json()
        preview = document["links"]["preview"]
        assert http.get(preview).content == PICTURE
        assert http.head(preview).status_code == 200
        refused = [
            http.get(preview.replace("grace", "ada")),
            http.get(preview.replace("acme", "other")),
            http.get(preview.replace("until=", "until=9")),
            http.get(preview + "&more=1"),
            http.get(preview.replace("/preview", "")),
            http.get("/v1/avatars/grace/preview?signature="),
            http.get("/v1/avatars/grace/preview?signature=ä&until=x"),
        ]
        assert {(one.status_code, one.json()["code"]) for one in refused} == {(401, "bad_link")}
        assert http.delete(preview.replace("/preview", "")).json()["code"] == "no_key"
        assert "signature" not in document["links"]["self"]
        assert http.get(document["links"]["ply"]).status_code == 503  # let in; the stage is away


def test_gateways_share_the_secret(guarded: Guarded) -> None:
    headers = guarded.key("acme")
    guarded.add_avatar("acme.grace")
    with guarded.http() as one, guarded.http() as other, guarded.http(link_secret="own") as third:
        link = one.get("/v1/avatars", headers=headers).json()[0]["links"]["preview"]
        assert other.get(link).status_code == 200
        assert third.get(link).status_code == 401


def test_links_end_and_stay_the_same_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    signer, now_s = LinkSigner("secret", 3600), 1_800_000_000.0
    monkeypatch.setattr(time, "time", lambda: now_s)
    link = signer.signed("/v1/avatars/grace/export?format=ply", "acme")
    path, _, text = link.partition("?")
    query = dict(part.split("=") for part in text.split("&"))
    assert query["format"] == "ply"
    assert signer.tenant(path, query) == "acme"
    assert signer.signed("/v1/avatars/grace/export?format=ply", "acme") == link
    now_s += 3599
    assert signer.tenant(path, query) == "acme"
    now_s += 902
    assert signer.tenant(path, query) is None
    assert LinkSigner("other", 3600).tenant(path, query) is None


def test_the_store_may_serve_the_files(
    guarded: Guarded, redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "REGION"):
        monkeypatch.setenv(f"AWS_{name}", "test")
    headers = guarded.key("acme")
    params = {"avatar": "acme.grace"}
    job = replace(
        Job.new(JobKind.VIDEO, params, tenant="acme"), status=JobStatus.SUCCEEDED, progress=1.0
    )

    async def kept() -> None:
        link = RedisLink(redis_server.url)
        await JobStore(link).create(job)
        await link.close()

    asyncio.run(kept())
    with guarded.http(store="s3://bucket/prefix", downloads="store") as http:
        file = http.get(f"/v1/videos/{job.id}", headers=headers).json()["links"]["file"]
        answer = http.get(file, follow_redirects=False)
        assert answer.status_code == 307
        address = answer.headers["location"]
        assert f"prefix/jobs/{job.id}/video" in address
        assert "X-Amz-Signature" in address
        assert http.get(f"/v1/videos/{job.id}/file").status_code == 401
