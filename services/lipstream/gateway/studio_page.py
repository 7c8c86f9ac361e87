"""The studio at `/`: a page to meet an avatar, from the files in `studio/` and nowhere else."""

from __future__ import annotations

import functools
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from lipstream.errors import NotFound

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).with_name("studio")
_PAGE = "index.html"
_KINDS = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Cache-Control": "no-cache",  # one release's modules belong together
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            "img-src 'self' blob:",  # the photo that was chosen
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ),
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@router.head("/")
@router.get("/")
async def page() -> FileResponse:
    """The studio."""
    return _file(_PAGE)


@router.get("/studio/{name}")
async def part(name: str) -> FileResponse:
    """A style, a module or a picture of it."""
    if name not in _names():
        raise NotFound(f"/studio has no file {name[:64]!r}.")
    return _file(name)


@functools.cache
def _names() -> frozenset[str]:
    """What may be asked for: a name is looked up here before it is joined to a path."""
    return frozenset(path.name for path in _FOLDER.iterdir() if path.suffix in _KINDS)


def _file(name: str) -> FileResponse:
    path = _FOLDER / name
    return FileResponse(path, media_type=_KINDS[path.suffix], headers=_HEADERS)
