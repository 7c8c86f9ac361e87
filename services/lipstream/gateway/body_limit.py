"""Bounds on the size of request bodies and on their time, enforced before anything parses them."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lipstream.errors import LipstreamError, TooLarge
from lipstream.gateway.problems import problem_response
from lipstream.gateway.refusals import TooSlow

__all__ = ["BodyLimit"]


class BodyLimit:
    """ASGI middleware that refuses bodies over `max_bytes`, declared or streamed, and slow ones.

    A body without a length is counted as it arrives; the request is refused at the first byte
    over the limit, so neither memory nor disk can be filled. One that stops arriving for `idle_s`,
    or takes longer than `total_s`, is refused, so that nobody holds connections by dribbling.
    """

    def __init__(
        self, app: ASGIApp, max_bytes: int, *, idle_s: float = 30.0, total_s: float = 900.0
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._idle_s = idle_s
        self._total_s = total_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._declared_bytes(scope) > self._max_bytes:
            await _refuse(self._too_large(), scope, receive, send)
            return
        clock = asyncio.get_running_loop()
        give_up_s = clock.time() + self._total_s
        received_bytes = 0
        complete = started = False

        async def counted() -> Message:
            nonlocal received_bytes, complete
            if complete:  # what is waited for now is the client's leaving
                return await receive()
            try:
                async with asyncio.timeout_at(min(clock.time() + self._idle_s, give_up_s)):
                    message = await receive()
            except TimeoutError:
                raise _Refused(_TOO_SLOW) from None
            complete = not message.get("more_body", False)
            received_bytes += len(message.get("body", b""))
            if received_bytes > self._max_bytes:
                raise _Refused(self._too_large())
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except _Refused as refused:
            if started:
                raise
            await _refuse(refused.error, scope, receive, send)

    @staticmethod
    def _declared_bytes(scope: Scope) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value)
        return 0

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"The request body is over the limit of {self._max_bytes // 1_000_000} MB.",
            remedy="Send a shorter recording or a smaller picture.",
        )


_TOO_SLOW = TooSlow("The request's body did not arrive in time.", remedy="Send it again.")


class _Refused(BaseException):
    """Passes through handlers that catch Exception, up to the middleware that raised it."""

    def __init__(self, error: LipstreamError) -> None:
        self.error = error


async def _refuse(error: LipstreamError, scope: Scope, receive: Receive, send: Send) -> None:
    response = problem_response(error, scope["path"])
    # The rest of the body is not read, so nothing can follow it.
    response.headers["Connection"] = "close"
    await response(scope, receive, send)
