"""`/docs`: Swagger UI from this process' own files, so that it works where there is no internet.

The files are those of the package fastapi-offline (MIT), of which nothing else is used.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

from lipstream.errors import NotFound

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_ASSETS = Path(str(files("fastapi_offline"))) / "static"
_KINDS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_KEPT_S = 86_400


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """The interface, to read and to try out."""
    root = request.scope.get("root_path", "").rstrip("/")
    return get_swagger_ui_html(
        openapi_url=f"{root}{request.app.openapi_url}",
        title=f"{request.app.title} {request.app.version}",
        swagger_js_url=f"{root}/docs/swagger-ui-bundle.js",
        swagger_css_url=f"{root}/docs/swagger-ui.css",
        swagger_favicon_url=f"{root}/docs/favicon.png",
        # By default it asks a foreign server what it thinks of the schema.
        swagger_ui_parameters={"validatorUrl": None},
    )


@router.get("/docs/{name}")
async def asset(name: str) -> FileResponse:
    """A file of that page."""
    if name not in _KINDS:
        raise NotFound(f"/docs has no file {name[:64]!r}.")
    headers = {"Cache-Control": f"max-age={_KEPT_S}"}
    return FileResponse(_ASSETS / name, media_type=_KINDS[name], headers=headers)
