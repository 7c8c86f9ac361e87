"""Every error leaves the gateway as an RFC 9457 document, and no trace leaves it at all."""

from __future__ import annotations

import errno

import pytest
from fastapi import FastAPI, UploadFile
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict
from starlette.requests import ClientDisconnect

from lipstream.errors import BadInput, LipstreamError, NotFound, Overloaded, Unavailable
from lipstream.gateway import problems


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    problems.install(app)

    @app.get("/known/{kind}")
    async def known(kind: str) -> None:
        kinds: dict[str, LipstreamError] = {
            "bad": BadInput("The photo shows no face.", remedy="Use another.", code="no_face"),
            "gone": NotFound("There is no avatar 'x'."),
            "full": Overloaded("All 8 sessions are taken."),
            "down": Unavailable("Redis does not answer."),
        }
        raise kinds[kind]

    @app.get("/fault")
    async def fault() -> None:
        raise ZeroDivisionError("secret detail")

    @app.get("/full")
    async def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/secret/path")

    @app.get("/gone")
    async def gone() -> None:
        raise ClientDisconnect

    @app.post("/body")
    async def body(document: Strict) -> None: ...

    @app.post("/file")
    async def file(photo: UploadFile) -> None: ...

    @app.get("/number/{value}")
    async def number(value: int) -> int:
        return value

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("bad", 422, "no_face"),
        ("gone", 404, "not_found"),
        ("full", 429, "overloaded"),
        ("down", 503, "unavailable"),
    ],
)
def test_known_errors(client: TestClient, kind: str, status: int, code: str) -> None:
    answer = client.get(f"/known/{kind}")
    body = answer.json()
    assert answer.status_code == body["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["code"] == code
    assert body["type"] == f"/problems/{code}"
    assert body["instance"] == f"/known/{kind}"
    assert ("retry-after" in answer.headers) == (status in (429, 503))


def test_a_fault_of_ours_says_so_and_no_more(client: TestClient) -> None:
    answer = client.get("/fault")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text


def test_invalid_fields_are_named(client: TestClient) -> None:
    answer = client.get("/number/seven")
    assert answer.status_code == 422
    assert "value" in answer.json()["detail"]


def test_a_body_that_is_no_json_is_named(client: TestClient) -> None:
    for body in (b"{", b"\xff{"):
        answer = client.post("/body", content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (400, 422)
        assert answer.json()["remedy"]
    untyped = client.post("/body", content=b"{}", headers={"content-type": "text/plain"}).json()
    assert untyped["detail"] == "body: must be a JSON object."
    assert "content-type: application/json" in untyped["remedy"]


def test_text_in_place_of_a_file_is_named(client: TestClient) -> None:
    detail = client.post("/file", data={"photo": "me.jpg"}).json()["detail"]
    assert detail == "photo: must be a file of the form."


def test_unknown_paths_are_problems_too(client: TestClient) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "/docs" in answer.json()["remedy"]


def test_a_full_disk_is_named_without_its_paths(client: TestClient) -> None:
    answer = client.get("/full")
    assert (answer.status_code, answer.json()["code"]) == (503, "disk_full")
    assert "secret" not in answer.text


def test_a_client_that_left_is_no_fault(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/gone").status_code == 499
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_documents_stay_short_whatever_is_sent() -> None:
    app = FastAPI()
    problems.install(app)

    @app.post("/")
    async def take(body: Strict) -> None: ...

    many = {("k" * 1000) + str(number): 1 for number in range(1000)}
    answer = TestClient(app).post("/", json=many)
    assert answer.status_code == 422
    assert len(answer.text) < 1500
    assert "and 992 more" in answer.json()["detail"]
