"""A gateway in a thread of the test, behind a real port."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import uvicorn

from lipstream.gateway.app import create_app
from lipstream.runtime.settings import Settings

__all__ = ["served"]


@contextlib.contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Its address, while it serves."""
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
