"""Whatever is sent as the wish for a video: read under limits, or refused with a reason."""

from __future__ import annotations

import json

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from lipstream.face.face_controls import FaceControls
from lipstream.gateway import problems
from lipstream.gateway.documents import VideoRequest
from lipstream.gateway.request_schema import request_schema
from lipstream.gateway.video_form import video_form


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    problems.install(app)

    @app.post("/")
    async def wish(request: Request) -> dict[str, object]:
        async with video_form(request, max_text_chars=1000) as form:
            wanted, audio = form.wanted, form.audio
            size = None if audio is None else audio.size
            style = {} if wanted.style is None else {"style": wanted.style}
            controls = {} if wanted.controls is None else {"controls": wanted.controls.document()}
            return {"text": wanted.text, "audio": size, **style, **controls}

    return TestClient(app, raise_server_exceptions=False)


def _post(client: TestClient, body: bytes, kind: str) -> tuple[int, str]:
    answer = client.post("/", content=body, headers={"content-type": kind})
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_json(client: TestClient, kind: str) -> None:
    body = json.dumps({"avatar": "grace", "text": "\U0001f600" * 1000})
    answer = client.post("/", content=body, headers={"content-type": kind})
    assert answer.json() == {"text": "\U0001f600" * 1000, "audio": None}


def test_a_form_with_a_file(client: TestClient) -> None:
    answer = client.post("/", data={"avatar": "grace"}, files={"audio": b"12345"})
    assert answer.json() == {"text": None, "audio": 5}


def test_a_style_is_a_list_of_numbers(client: TestClient) -> None:
    wish = {"avatar": "grace", "text": "hi"}
    assert client.post("/", json={**wish, "style": [0.5, -1]}).json()["style"] == [0.5, -1]
    sent = client.post("/", data={"avatar": "grace", "style": "[0.5]"}, files={"audio": b"1"})
    assert sent.json()["style"] == [0.5]
    for wrong in ([], ["a"], "warm", {"a": 1}, [0.0] * 4097, "[" * 10_000):
        answer = client.post("/", json={**wish, "style": wrong})
        assert answer.status_code == 422, wrong
        assert "style" in answer.json()["detail"]
    assert _post(client, b'{"avatar":"g","text":"x","style":[NaN]}', "application/json")[0] == 422


def test_the_schema_of_the_body_stands_by_itself() -> None:
    schema = request_schema(VideoRequest)
    assert "$ref" not in json.dumps(schema)
    (controls, _) = schema["properties"]["controls"]["anyOf"]
    assert set(controls["properties"]) == set(FaceControls.__dataclass_fields__)
    assert controls["properties"]["head_motion"]["maximum"] == 2


def test_controls_are_an_object(client: TestClient) -> None:
    wish = {"avatar": "grace", "text": "hi"}
    asked = {"emotion": [{"weights": {"joy": 0.5}}], "blink_rate": 8.0}
    for sent in (asked, json.dumps(asked)):
        assert client.post("/", json={**wish, "controls": sent}).json()["controls"] == asked
    form = {"avatar": "grace", "controls": json.dumps({"emotion": {"joy": 0.5}, "blink_rate": 8})}
    answer = client.post("/", data=form, files={"audio": b"1"})
    assert answer.json()["controls"] == asked
    for wrong, said in (
        ({"emotion": {"happiness": 1}}, "no emotion 'happiness'; choose of amazement, anger"),
        ({"head_motion": 3}, "controls.head_motion: "),
        ({"framing": {"zoom": 1.1, "offset": 0.4}}, "needs a zoom of 1.8"),
        ({"smile": 1}, "controls.smile: "),
        ("[" * 10_000, "controls: must be JSON"),
        (3, "controls"),
    ):
        answer = client.post("/", json={**wish, "controls": wrong})
        assert answer.status_code == 422, wrong
        assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[" * 60_000, "bad_json"),
        (b'{"text":' * 5_000, "bad_json"),
        (b'{"seed":' + b"9" * 5_000 + b"}", "bad_json"),
        (b'{"avatar":"\xff"}', "bad_json"),
        (b"", "bad_json"),
        (b"null", "bad_input"),
        (b'{"avatar":"g","text":"x","\\ud800":1}', "bad_input"),
        (b'{"avatar":"g","text":"x","seed":NaN}', "bad_input"),
        (b'{"avatar":"g","text":"x","fps":"\xc2\xb2"}', "bad_input"),
    ],
)
def test_json_that_makes_no_sense(client: TestClient, body: bytes, code: str) -> None:
    assert _post(client, body, "application/json") == (422, code)


def test_json_is_bounded_before_it_is_parsed(client: TestClient) -> None:
    body = b'{"text":[' + b"0," * 100_000 + b"0]}"
    assert _post(client, body, "application/json") == (413, "too_large")


@pytest.mark.parametrize("kind", ["text/plain", "", "application/jsonp"])
def test_other_content_types_are_named(client: TestClient, kind: str) -> None:
    body = b'{"avatar":"grace","text":"hi"}'
    assert _post(client, body, kind) == (415, "unsupported_media_type")


def test_json_without_its_header_is_recognised(client: TestClient) -> None:
    kind = "application/x-www-form-urlencoded"
    body = b'{"avatar":"grace","text":"hi"}'
    assert _post(client, body, kind) == (415, "unsupported_media_type")
    assert client.post("/", data={"avatar": "grace", "text": "hi"}).json()["text"] == "hi"


def test_a_fault_is_said_without_the_words_of_the_library(client: TestClient) -> None:
    answer = client.post("/", json={"avatar": "grace", "text": "hi", "size": 333})
    assert answer.json()["detail"] == (
        "size: A picture of 333 pixels cannot be made. Choose an even size from 64 to 1080, "
        "or an even width and height such as 720x1280."
    )


@pytest.mark.parametrize(
    "files",
    [
        [("audio", b"1"), ("audio", b"2")],
        [("text", b"a file, where words are wanted")],
    ],
)
def test_files_where_none_belong(client: TestClient, files: list[tuple[str, bytes]]) -> None:
    answer = client.post("/", data={"avatar": "grace"}, files=files)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
