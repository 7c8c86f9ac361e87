"""Bodies over the limit are refused, declared or not, before a handler has them in memory."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

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
