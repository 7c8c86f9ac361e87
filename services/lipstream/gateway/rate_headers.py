"""What a caller has left, on every answer: `RateLimit-Limit`, `-Remaining` and `-Reset`."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lipstream.runtime.rate_limit import Allowance

__all__ = ["ALLOWANCE", "RateHeaders"]

ALLOWANCE = "lipstream.allowance"
"""Where a request's scope holds it, once its key is known."""


class RateHeaders:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            allowance: Allowance | None = scope.get(ALLOWANCE)
            if message["type"] == "http.response.start" and allowance is not None:
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Limit"] = str(allowance.most)
                headers["RateLimit-Remaining"] = str(allowance.left)
                headers["RateLimit-Reset"] = str(allowance.full_s)
            await send(message)

        await self._app(scope, receive, told)
