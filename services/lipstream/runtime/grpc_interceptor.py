"""Around every call of a stage's service: admission, counting, logging, errors as problems."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from lipstream.errors import Cancelled, Internal, LipstreamError, Overloaded
from lipstream.runtime.grpc_problems import problem_metadata
from lipstream.runtime.live_seats import LiveSeats
from lipstream.runtime.logs import bound
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.tracing import NO_SPAN, TRACEPARENT, Span, span

__all__ = ["ADMITTED_KEY", "CallInterceptor"]

logger = logging.getLogger(__name__)

_OURS = "/lipstream."

ADMITTED_KEY = "lipstream-admitted"
"""In the initial metadata of a streaming call, sent as soon as there is a place for it."""


class CallInterceptor(grpc.aio.ServerInterceptor):
    """
    Args:
        max_calls: calls at once; more are refused, so that those that run keep their pace.
        seats: who counts and bounds live streams, the calls that stream both ways.
    """

    def __init__(
        self, telemetry: Telemetry, max_calls: int, seats: LiveSeats | None = None
    ) -> None:
        self._telemetry = telemetry
        self._max_calls = max_calls
        self._seats = seats
        self._calls = 0

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        method: str = handler_call_details.method
        # Health and reflection answer even when there is no capacity.
        if handler is None or not method.startswith(_OURS):
            return handler
        if handler.response_streaming:
            inner = handler.stream_stream or handler.unary_stream
            factory = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            live = handler.request_streaming
            wrapped: Any = self._streaming(inner, method, self._seats if live else None)
        else:
            inner = handler.stream_unary or handler.unary_unary
            factory = (
                grpc.stream_unary_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_unary_rpc_method_handler
            )
            wrapped = self._unary(inner, method)
        return factory(
            wrapped,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    def _unary(self, inner: Any, method: str) -> Any:
        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            async with _Call(self, method, context, None):
                with self._telemetry.in_flight("live"):
                    return await inner(request, context)

        return call

    def _streaming(self, inner: Any, method: str, seats: LiveSeats | None) -> Any:
        async def call(
            request: Any, context: grpc.aio.ServicerContext[Any, Any]
        ) -> AsyncIterator[Any]:
            # The inner stream is closed with this one: when a client goes, the stage frees what it
            # holds at once.
            async with (
                _Call(self, method, context, seats),
                contextlib.aclosing(inner(request, context)) as responses,
            ):
                await context.send_initial_metadata(((ADMITTED_KEY, "1"),))
                with self._telemetry.in_flight("live"):
                    async for response in responses:
                        yield response

        return call

    def enter(self, seats: LiveSeats | None) -> None:
        if self._calls >= self._max_calls:
            raise Overloaded(
                f"{self._max_calls} calls run already; no more are taken.",
                remedy="Try again later or on another replica.",
            )
        if seats is not None:
            seats.take()
        self._calls += 1

    def leave(self, seats: LiveSeats | None, method: str, code: str, duration_s: float) -> None:
        self._calls -= 1
        if seats is not None:
            seats.leave()
        self._telemetry.call_ended(method.rpartition("/")[2], code, duration_s)


def _span(method: str, context: grpc.aio.ServicerContext[Any, Any]) -> Span:
    """Of a call that is part of its caller's trace."""
    metadata: Any = context.invocation_metadata()
    parent = next((value for key, value in metadata or () if key == TRACEPARENT), "")
    return span(method.rpartition("/")[2], parent=parent) if parent else NO_SPAN


class _Call:
    """One call from its admission to its end."""

    def __init__(
        self,
        owner: CallInterceptor,
        method: str,
        context: grpc.aio.ServicerContext[Any, Any],
        seats: LiveSeats | None,
    ) -> None:
        self._owner = owner
        self._seats = seats
        self._method = method
        self._context = context
        self._began_s = time.perf_counter()
        self._span = _span(method, context)
        self._admitted = False

    async def __aenter__(self) -> None:
        try:
            self._owner.enter(self._seats)
        except LipstreamError as error:
            await self._abort(error)
        self._admitted = True

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        translated: LipstreamError | None = None
        code = "OK"
        if isinstance(error, asyncio.CancelledError | GeneratorExit | Cancelled):
            code = "CANCELLED"
            translated = error if isinstance(error, Cancelled) else None
        elif isinstance(error, grpc.aio.AbortError):
            code = "ABORTED"
        elif isinstance(error, LipstreamError):
            code, translated = error.grpc_status, error
        elif error is not None:
            code = "INTERNAL"
            with bound(method=self._method):
                logger.error("call failed", exc_info=error)
            translated = Internal("The stage failed on this call; the fault is logged.")
        if self._admitted:
            duration_s = time.perf_counter() - self._began_s
            self._owner.leave(self._seats, self._method, code, duration_s)
        self._span.set(code=code)
        self._span.end()
        if translated is not None:
            await self._abort(translated)

    async def _abort(self, error: LipstreamError) -> None:
        await self._context.abort(
            grpc.StatusCode[error.grpc_status], error.message, problem_metadata(error)
        )
