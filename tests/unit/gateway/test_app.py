"""The gateway's routes as FastAPI sees them."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from lipstream.gateway.app import create_app
from lipstream.runtime.settings import Settings


def _routes(router: Any) -> Iterator[APIRoute]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):  # newer versions keep included routers whole
            yield from _routes(route.original_router)


def _needs(dependant: Dependant) -> Iterator[Dependant]:
    for needed in dependant.dependencies:
        yield needed
        yield from _needs(needed)


def test_no_call_takes_a_thread_for_what_its_route_depends_on(tmp_path: Path) -> None:
    """FastAPI runs a dependency that is not async in a thread: twice the cost of a read."""
    routes = list(_routes(create_app(Settings(store=str(tmp_path))).router))
    assert {"/v1/videos/{video_id}", "/v1/avatars/{avatar_id}"} <= {route.path for route in routes}
    for route in routes:
        for needed in _needs(route.dependant):
            call: Any = needed.call
            assert iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__)
