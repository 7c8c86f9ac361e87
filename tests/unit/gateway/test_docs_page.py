"""The page of the interface, which must work where there is no internet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from lipstream.gateway.app import create_app
from lipstream.runtime.settings import Settings

_REFERENCE = re.compile(r"""(?:src|href)="([^"]*)"|url: '([^']*)'""")


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    # Not entered: without its lifespan the application connects to nothing.
    return TestClient(create_app(Settings(data_dir=tmp_path)))


def test_the_page_names_no_foreign_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "//" not in re.sub(r"^\s*//.*$|<!--.*?-->", "", page.text, flags=re.MULTILINE)
    assert '"validatorUrl": null' in page.text, "Swagger UI would ask validator.swagger.io"


def test_all_that_it_names_is_here(client: TestClient) -> None:
    page = client.get("/docs").text
    places = {first or second for first, second in _REFERENCE.findall(page)}
    assert places == {
        "/docs/swagger-ui-bundle.js",
        "/docs/swagger-ui.css",
        "/docs/favicon.png",
        "/openapi.json",
    }
    kinds = {place: client.get(place).headers["content-type"] for place in places}
    assert kinds["/docs/swagger-ui-bundle.js"].startswith("text/javascript")
    assert kinds["/docs/swagger-ui.css"].startswith("text/css")
    assert "SwaggerUIBundle" in client.get("/docs/swagger-ui-bundle.js").text
    assert "/v1/videos" in client.get("/openapi.json").json()["paths"]


def test_styles_load_nothing_from_elsewhere(client: TestClient) -> None:
    style = client.get("/docs/swagger-ui.css").text
    loaded = re.findall(r"url\(([^)]*)\)|@import ([^;]*)", style)
    assert all(place.strip("\"'").startswith("data:") for pair in loaded for place in pair if place)


@pytest.mark.parametrize(
    "path", ["/docs/other.js", "/docs/..%2fcore.py", "/docs/redoc.standalone.js"]
)
def test_other_files_are_not_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_page_works_behind_a_prefix(tmp_path: Path) -> None:
    client = TestClient(create_app(Settings(data_dir=tmp_path)), root_path="/talk")
    page = client.get("/docs").text
    assert 'src="/talk/docs/swagger-ui-bundle.js"' in page
    assert "url: '/talk/openapi.json'" in page


def test_the_schema_knows_each_operation_once(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    names = [o["operationId"] for operations in paths.values() for o in operations.values()]
    assert len(names) == len(set(names))
    assert set(paths["/v1/videos/{video_id}/file"]) == {"get"}
    assert not any(path.startswith("/docs") for path in paths)
