"""A bound on the size of request bodies, enforced before anything parses them."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lipstream.errors import TooLarge
from lipstream.gateway.problems import problem_response

__all__ = ["BodyLimit"]


class BodyLimit:
    """ASGI middleware that refuses bodies over `max_bytes`, declared or streamed.

    A body without a length is counted as it arrives; the request is refused at the first byte
    over the limit, so neither memory nor disk can be filled.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._declared_bytes(scope) > self._max_bytes:
            await self._refuse(scope, receive, send)
            return
        received_bytes = 0
        started = False

        async def counted() -> Message:
            nonlocal received_bytes
            message = await receive()
            if message["type"] == "http.request":
                received_bytes += len(message.get("body", b""))
                if received_bytes > self._max_bytes:
                    raise _BodyTooLong
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except _BodyTooLong:
            if started:
                raise
            await self._refuse(scope, receive, send)

    @staticmethod
    def _declared_bytes(scope: Scope) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value)
        return 0

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = TooLarge(
            f"The request body is over the limit of {self._max_bytes // 1_000_000} MB.",
            remedy="Send a shorter recording or a smaller picture.",
        )
        await problem_response(error, scope["path"])(scope, receive, send)


class _BodyTooLong(BaseException):
    """Passes through handlers that catch Exception, up to the middleware that raised it."""
