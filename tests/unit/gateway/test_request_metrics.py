"""Callers cannot make labels: the metrics stay as few as the routes."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient

from lipstream.gateway import problems
from lipstream.gateway.health import RequestMetrics
from lipstream.runtime.telemetry import Telemetry


def test_invented_paths_and_methods_share_a_label() -> None:
    telemetry = Telemetry("gateway")
    app = FastAPI()
    problems.install(app)
    app.add_middleware(RequestMetrics, telemetry=telemetry)

    @app.get("/things/{thing}")
    async def thing(thing: str) -> str:
        return thing

    client = TestClient(app)
    for number in range(20):
        client.get(f"/things/{number}")
        client.get(f"/nothing/{number}")
        client.request(f"METHOD{number}", "/things/1")
        client.request(f"METHOD{number}", "/nothing")
    lines = telemetry.exposition().decode().splitlines()
    counts = [line for line in lines if line.startswith("lipstream_requests_total{")]
    assert len(counts) == 4, counts
    assert all(line.endswith(" 20.0") for line in counts)
