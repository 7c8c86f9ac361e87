"""The studio's files: complete, from this server alone, and nothing beside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from lipstream.gateway import studio_page
from lipstream.gateway.app import create_app
from lipstream.runtime.settings import Settings

_FOLDER = Path(studio_page.__file__).with_name("studio")
_NAMES = sorted(path.name for path in _FOLDER.iterdir())
_NAMED = re.compile(r"""(?:src|href)="([^"#]+)\"""")
_IMPORTED = re.compile(r"""(?:from|import|new URL\() ?"([\w./-]+\.js)\"""")
_ADDRESS = re.compile(r"""(?:https?:|wss?:)?//[\w[][^\s"')]*""")
_KINDS = {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}
_NAMESPACE = "http://www.w3.org/2000/svg"


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    # Not entered: without its lifespan the application connects to nothing.
    return TestClient(create_app(Settings(data_dir=tmp_path)))


def test_the_page_is_at_the_root_under_a_strict_policy(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == client.head("/").status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.text)


def test_all_that_the_page_and_its_modules_name_is_here(client: TestClient) -> None:
    page = client.get("/").text
    places = {place for place in _NAMED.findall(page) if place != "docs"}
    assert "studio/studio.js" in places
    for path in _FOLDER.glob("*.js"):
        places |= {*_IMPORTED.findall(path.read_text())}
    assert {place.rpartition("/")[2] for place in places} == {*_NAMES} - {"index.html"}


@pytest.mark.parametrize("name", _NAMES)
def test_files_have_their_kind_and_name_no_foreign_host(client: TestClient, name: str) -> None:
    kinds = {
        "css": "text/css",
        "html": "text/html",
        "js": "text/javascript",
        "svg": "image/svg+xml",
    }
    answer = client.get(f"/studio/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == kinds[name.rpartition(".")[2]]
    assert "content-security-policy" in answer.headers
    assert set(_ADDRESS.findall(answer.text)) <= {_NAMESPACE}


@pytest.mark.parametrize(
    "path",
    [
        "/studio/",
        "/studio/other.js",
        "/studio/..%2fapp.py",
        "/studio/%2e%2e/app.py",
        "/studio/..%5capp.py",
        "/studio//etc/passwd",
        "/studio/studio.js%00.css",
        "/studio/" + "a" * 5000,
    ],
)
def test_other_files_are_not_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_page_works_behind_a_prefix(client: TestClient) -> None:
    places = _NAMED.findall(client.get("/").text)
    assert not [place for place in places if place.startswith("/")]


def test_the_schema_is_of_the_interface_alone(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert not any(path == "/" or path.startswith("/studio") for path in paths)
