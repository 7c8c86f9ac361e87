"""A stage's plain HTTP side: /metrics for Prometheus, /healthz and /readyz for who runs it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lipstream.errors import Conflict
from lipstream.runtime.telemetry import Telemetry

__all__ = ["ProbeServer"]

_READ_TIMEOUT_S = 5.0

logger = logging.getLogger(__name__)


class ProbeServer:
    """Answers from a thread of its own, so that it answers while the event loop is busy.

    Args:
        alive: whether the process should go on; false asks for its restart.
        ready: whether it takes work.
        port: 0 for any free one.

    Raises:
        Conflict: the port is taken.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        *,
        alive: Callable[[], bool],
        ready: Callable[[], bool],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        class Handler(BaseHTTPRequestHandler):
            timeout = _READ_TIMEOUT_S
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == "/metrics":
                    ready()  # so that its gauge is of now
                    self._answer(200, telemetry.exposition(), telemetry.content_type)
                elif path == "/healthz":
                    self._state(alive())
                elif path == "/readyz":
                    self._state(ready())
                else:
                    self._answer(404, b"not found\n", "text/plain")

            def _state(self, good: bool) -> None:
                self._answer(200 if good else 503, b"ok\n" if good else b"no\n", "text/plain")

            def _answer(self, status: int, body: bytes, content_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        try:
            self._server = _Server((host, port), Handler)
        except OSError as error:
            raise Conflict(
                f"Nothing can listen at {host}:{port}: {error.strerror}.",
                remedy="Choose another LIPSTREAM_METRICS_PORT.",
            ) from error
        self.port: int = self._server.server_address[1]

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="probes", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that goes away in the middle of a request is no fault of this process."""
        logger.debug("a probe was not answered", exc_info=True)
