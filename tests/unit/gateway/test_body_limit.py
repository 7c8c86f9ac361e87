"""Bodies over the limit are refused, declared or not, before a handler has them in memory; so
are those that do not come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from lipstream.gateway import problems
from lipstream.gateway.body_limit import BodyLimit


def _client() -> TestClient:
    app = FastAPI()
    problems.install(app)
    app.add_middleware(BodyLimit, max_bytes=1_000_000)

    @app.post("/size")
    async def size(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    return TestClient(app)


def test_a_body_at_the_limit_passes() -> None:
    answer = _client().post("/size", content=b"x" * 1_000_000)
    assert answer.json() == {"bytes": 1_000_000}


def test_a_declared_length_over_the_limit_is_refused_with_the_limit_named() -> None:
    answer = _client().post("/size", content=b"x" * 1_000_001)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "too_large"
    assert "1 MB" in answer.json()["detail"]


def test_a_stream_without_a_length_is_counted() -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x" * 100_000

    answer = _client().post("/size", content=endless())
    assert answer.status_code == 413


@pytest.mark.parametrize("dribbles", [False, True])
def test_a_body_that_does_not_arrive_is_given_up(dribbles: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()

    async def receive() -> Message:
        await asyncio.sleep(0.01 if dribbles else 60)
        return {"type": "http.request", "body": b"x", "more_body": True}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    limit = BodyLimit(app, max_bytes=1_000_000, idle_s=0.05, total_s=0.1)
    scope: Scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(limit(scope, receive, send))
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert b"too_slow" in sent[1]["body"]
