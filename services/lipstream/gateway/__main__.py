"""`python -m lipstream.gateway` runs the gateway."""

from __future__ import annotations

import gc
import logging
import sys

gc.disable()  # what a start makes is no garbage; `keep_what_stands` lets it be looked for again

import uvicorn  # noqa: E402

from lipstream.errors import LipstreamError  # noqa: E402
from lipstream.gateway.app import create_app  # noqa: E402
from lipstream.runtime.logs import configure_logs  # noqa: E402
from lipstream.runtime.settings import Settings, load_settings  # noqa: E402
from lipstream.runtime.tracing import tracing  # noqa: E402

logger = logging.getLogger(__name__)

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LARGEST_MESSAGE = 1_000_000
"""On a WebSocket, bytes: ten seconds of samples at 48 kHz."""


def main() -> None:
    try:
        settings = load_settings()
    except LipstreamError as error:
        sys.exit(f"lipstream.gateway: {error}")
    configure_logs("gateway", settings.log_level)
    if settings.auth == "off" and settings.host not in _LOOPBACK:
        logger.warning(
            "anybody who reaches this port may use it: set LIPSTREAM_AUTH=keys",
            extra={"host": settings.host},
        )
    try:
        with tracing("gateway"):
            _serve(settings)
    except LipstreamError as error:
        sys.exit(f"lipstream.gateway: {error}")


def _serve(settings: Settings) -> None:
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.gateway_port,
        log_config=None,
        access_log=False,
        ws_max_size=_LARGEST_MESSAGE,
        # Pictures are compressed already: to deflate them again costs time and saves nothing.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=max(1, round(settings.drain_s)),
    )


main()
