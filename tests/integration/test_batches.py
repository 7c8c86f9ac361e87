"""Batches over HTTP, with a real Redis behind the gateway; the stages are away."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from lipstream.gateway.app import create_app
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import open_store
from lipstream.runtime.settings import Settings
from lipstream.wire.job import Job
from tests.integration.job_lane import JobLane
from tests.integration.redis_process import RedisProcess

_MANIFEST = b'{"consent": {"statement": "I am the person in the photo."}}'
_LINES = [{"avatar": "me", "text": f"Line {n}."} for n in range(3)]


@pytest.fixture
def gateway(redis_server: RedisProcess, tmp_path: Path) -> Iterator[TestClient]:
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(b"not looked into")
    AvatarLibrary(open_store(str(tmp_path / "objects"))).add("me", bundle, _MANIFEST, b"png")
    settings = Settings(
        redis=redis_server.url,
        store=str(tmp_path / "objects"),
        audio_address="127.0.0.1:1",
        max_queued_jobs=1,
        max_open_jobs=6,
    )
    with TestClient(create_app(settings)) as client:
        yield client


def post(gateway: TestClient, lines: Sequence[object], key: str | None = None) -> Any:
    body = "\n".join(json.dumps(line) for line in lines)
    headers = {"content-type": "application/jsonl"} | ({"Idempotency-Key": key} if key else {})
    return gateway.post("/v1/batches", content=body, headers=headers)


def test_a_batch_is_reported_line_by_line_and_goes_on_where_it_was_cut_off(
    gateway: TestClient, redis_server: RedisProcess
) -> None:
    lines = [_LINES[0], {"avatar": "nobody", "text": "x"}, {"avatar": "me"}, _LINES[1]]
    answer = post(gateway, lines, "night")
    assert answer.status_code == 202, answer.text
    batch = answer.json()
    assert answer.headers["location"] == batch["links"]["self"]
    assert batch["counts"] == {"queued": 2, "failed": 2}
    assert not batch["done"]

    page = gateway.get(batch["links"]["self"], params={"first": 2, "limit": 2}).json()["page"]
    assert [line["line"] for line in page] == [2, 3]
    assert page[0]["error"]["code"] == "not_found"
    assert page[1]["error"]["remedy"]

    client = redis_server.client()
    client.delete(f"{{lipstream}}:job:{batch['id']}-4")  # as if the gateway had died before it
    client.srem("{lipstream}:open:default", f"{batch['id']}-4")
    reading = (f"{{lipstream}}:batch:{batch['id']}", "reading_ms")
    client.hset(*reading, time.time_ns() // 1_000_000)
    at_work = gateway.get(batch["links"]["self"]).json()
    assert at_work["counts"] == {"queued": 1, "failed": 2, "unknown": 1}
    client.hset(*reading, time.time_ns() // 1_000_000 - 61_000)
    cut_off = gateway.get(batch["links"]["self"]).json()
    assert cut_off["counts"] == {"queued": 1, "failed": 3}
    assert cut_off["page"][3]["error"]["code"] == "cut_off"
    again = post(gateway, lines, "night").json()
    assert again["id"] == batch["id"]
    assert again["counts"] == {"queued": 2, "failed": 2}
    assert len(gateway.get("/v1/videos").json()) == 2
    assert post(gateway, lines[:1], "night").status_code == 422

    assert gateway.delete(batch["links"]["self"]).status_code == 204
    ended = gateway.get(batch["links"]["self"]).json()
    assert ended["counts"] == {"cancelled": 2, "failed": 2}
    assert ended["done"]
    client.delete(f"{{lipstream}}:job:{batch['id']}-1")
    forgotten = gateway.get(batch["links"]["self"]).json()
    assert forgotten["counts"] == {"cancelled": 1, "failed": 2, "unknown": 1}
    assert forgotten["done"]
    assert gateway.get("/v1/batches/unknown").status_code == 404


def test_batches_are_listed_the_newest_first_and_forgotten_ones_leave(
    gateway: TestClient, redis_server: RedisProcess
) -> None:
    made = [post(gateway, _LINES[:n], f"batch-{n}").json() for n in (1, 2, 3)]
    post(gateway, _LINES[:2], "batch-2")  # sent again: the same one
    client = redis_server.client()
    for moment, batch in enumerate(made, 1):
        client.zadd("{lipstream}:batches-of:default", {batch["id"]: moment})
    client.zadd("{lipstream}:batches-of:other", {made[0]["id"]: 9})
    listed = gateway.get("/v1/batches").json()
    assert [batch["lines"] for batch in listed] == [3, 2, 1]
    assert listed[0]["links"] == made[2]["links"]
    client.delete(f"{{lipstream}}:batch:{made[2]['id']}")
    assert [b["id"] for b in gateway.get("/v1/batches?limit=1").json()] == [made[1]["id"]]
    assert client.zcard("{lipstream}:batches-of:default") == 2
    for path in ("/v1/batches", "/v1/videos"):
        assert gateway.get(path, params={"limit": 0}).status_code == 422


def test_a_batch_neither_fills_the_queue_nor_passes_the_quota(gateway: TestClient) -> None:
    assert post(gateway, [*_LINES, *_LINES]).json()["counts"] == {"queued": 6}
    refused = post(gateway, [_LINES[0]]).json()
    line = gateway.get(refused["links"]["self"]).json()["page"][0]
    assert line["error"]["code"] == "quota_exceeded"
    for video in gateway.get("/v1/videos").json()[:3]:
        gateway.delete(video["links"]["self"])
    hurried = {**_LINES[0], "priority": "interactive"}
    assert gateway.post("/v1/videos", json=hurried).status_code == 202


def test_jobs_of_a_batch_run(redis_server: RedisProcess, gateway: TestClient) -> None:
    batch = post(gateway, _LINES).json()

    async def scenario() -> list[Job]:
        async with JobLane.on(redis_server.url) as lane:
            for stage in ("audio", "motion", "render"):
                lane.work(stage)
            return [await lane.ended(await lane.jobs.get(f"{batch['id']}-{n}")) for n in (1, 2, 3)]

    jobs = asyncio.run(scenario())
    assert [job.priority.value for job in jobs] == ["batch"] * 3
    document = gateway.get(batch["links"]["self"]).json()
    assert document["counts"] == {"succeeded": 3}
    assert document["done"]
    assert redis_server.client().scard("{lipstream}:open:default") == 0
