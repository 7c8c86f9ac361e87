# mypy: disable-error-code="import-untyped"
"""A stage's gRPC side over a real channel."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from lipstream.errors import (
    BadInput,
    Conflict,
    Internal,
    LipstreamError,
    NotFound,
    Overloaded,
    Unavailable,
)
from lipstream.runtime.compute import ComputePool
from lipstream.runtime.grpc_interceptor import ADMITTED_KEY
from lipstream.runtime.grpc_problems import error_of
from lipstream.runtime.grpc_server import GrpcServer
from lipstream.runtime.live_seats import LiveSeats
from lipstream.runtime.telemetry import Telemetry
from lipstream.v1 import audio_pb2, audio_pb2_grpc, common_pb2

_SERVICE = "lipstream.v1.AudioService"


class _Audio(audio_pb2_grpc.AudioServiceServicer):
    """Does what the session's name says."""

    def __init__(self) -> None:
        self.compute = ComputePool(2)
        self.ended = asyncio.Event()

    async def Extract(
        self,
        request_iterator: AsyncIterator[audio_pb2.ExtractRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[audio_pb2.ExtractResponse]:
        try:
            async for request in request_iterator:
                if request.header.session_id == "refuse":
                    raise BadInput("Zu kurz.", remedy="Send more.", code="too_short")
                if request.header.session_id == "fault":
                    await self.compute.run(_fault)
                yield audio_pb2.ExtractResponse(header=request.header)
        finally:
            self.ended.set()

    async def ListVoices(
        self,
        request: audio_pb2.ListVoicesRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> audio_pb2.ListVoicesResponse:
        if request.language == "none":
            raise NotFound("There is no such language.")
        return audio_pb2.ListVoicesResponse(
            voices=[audio_pb2.Voice(name=request.language or "any")]
        )


def _fault() -> None:
    raise RuntimeError("secret detail")


@dataclass
class _Bench:
    servicer: _Audio
    server: GrpcServer
    channel: grpc.aio.Channel
    telemetry: Telemetry
    port: int

    @property
    def audio(self) -> Any:
        return audio_pb2_grpc.AudioServiceStub(self.channel)

    async def has_place(self) -> bool:
        try:
            await self.audio.ListVoices(audio_pb2.ListVoicesRequest())
        except grpc.aio.AioRpcError as error:
            if isinstance(error_of(error), Overloaded):
                return False
            raise
        return True

    async def health(self, service: str = "") -> Any:
        request = health_pb2.HealthCheckRequest(service=service)
        return (await health_pb2_grpc.HealthStub(self.channel).Check(request)).status


def on_server(
    scenario: Callable[[_Bench], Awaitable[None]],
    max_calls: int = 8,
    seats: LiveSeats | None = None,
) -> None:
    async def go() -> None:
        servicer = _Audio()  # type: ignore[abstract]  # the other methods are not called
        telemetry = Telemetry("audio")
        server = GrpcServer(
            lambda raw: audio_pb2_grpc.add_AudioServiceServicer_to_server(servicer, raw),
            (_SERVICE,),
            telemetry=telemetry,
            max_calls=max_calls,
            seats=seats,
        )
        port = await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                await scenario(_Bench(servicer, server, channel, telemetry, port))
        finally:
            await server.stop(0.0)
            servicer.compute.close()

    asyncio.run(go())


def request(session_id: str) -> audio_pb2.ExtractRequest:
    return audio_pb2.ExtractRequest(
        header=common_pb2.LiveHeader(session_id=session_id, epoch=3, pts_us=40_000)
    )


def test_streams_both_ways_and_is_counted() -> None:
    async def scenario(bench: _Bench) -> None:
        call = bench.audio.Extract()
        for name in ("a", "b"):
            await call.write(request(name))
            answer = await call.read()
            assert answer.header == request(name).header
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        voices = await bench.audio.ListVoices(audio_pb2.ListVoicesRequest(language="de"))
        assert voices.voices[0].name == "de"
        text = bench.telemetry.exposition().decode()
        assert 'code="OK",method="Extract"' in text
        assert 'code="OK",method="ListVoices"' in text

    on_server(scenario)


def test_errors_of_the_tree_arrive_whole() -> None:
    async def scenario(bench: _Bench) -> None:
        call = bench.audio.Extract()
        await call.write(request("refuse"))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        error = error_of(caught.value)
        assert isinstance(error, BadInput)
        assert (error.message, error.remedy, error.code) == ("Zu kurz.", "Send more.", "too_short")

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await bench.audio.ListVoices(audio_pb2.ListVoicesRequest(language="none"))
        assert isinstance(error_of(caught.value), NotFound)

    on_server(scenario)


def test_a_call_that_broke_on_its_way_can_be_made_again() -> None:
    async def broken(_: bytes, context: grpc.aio.ServicerContext) -> bytes:  # type: ignore[type-arg]
        await context.abort(grpc.StatusCode.INTERNAL, "Received RST_STREAM with error code 2")

    async def scenario() -> None:
        server = grpc.aio.server()
        handlers: dict[str, Any] = {"Call": grpc.unary_unary_rpc_method_handler(broken)}
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("x.X", handlers)])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary("/x.X/Call")(b"")  # type: ignore[arg-type]
        assert isinstance(error_of(caught.value), Unavailable)
        await server.stop(0)

    asyncio.run(scenario())


def test_faults_of_ours_do_not_show_their_trace() -> None:
    async def scenario(bench: _Bench) -> None:
        call = bench.audio.Extract()
        await call.write(request("fault"))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        assert "secret" not in str(caught.value)
        assert isinstance(error_of(caught.value), Internal)
        assert 'code="INTERNAL",method="Extract"' in bench.telemetry.exposition().decode()

    on_server(scenario)


def test_calls_over_the_limit_are_refused_while_health_answers() -> None:
    async def scenario(bench: _Bench) -> None:
        call = bench.audio.Extract()
        await call.write(request("a"))
        await call.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await bench.audio.ListVoices(audio_pb2.ListVoicesRequest())
        assert isinstance(error_of(caught.value), Overloaded)
        assert await bench.health() == health_pb2.HealthCheckResponse.SERVING
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        await bench.audio.ListVoices(audio_pb2.ListVoicesRequest())

    on_server(scenario, max_calls=1)


def test_live_streams_have_seats_and_are_told_that_they_have_one() -> None:
    async def scenario(bench: _Bench) -> None:
        async def refusal() -> LipstreamError:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await bench.audio.Extract().read()
            return error_of(caught.value)

        call = bench.audio.Extract()
        assert ADMITTED_KEY in dict(await call.initial_metadata())
        assert seats.taken == 1
        full = await refusal()
        assert (type(full), full.code) == (Overloaded, "stage_full")
        await bench.audio.ListVoices(audio_pb2.ListVoicesRequest())  # is no live stream
        seats.drain()
        leaving = await refusal()
        assert (type(leaving), leaving.code) == (Unavailable, "draining")
        await call.write(request("a"))
        assert (await call.read()).header == request("a").header  # goes on
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        assert seats.taken == 0

    seats = LiveSeats(1, Telemetry("audio"))
    on_server(scenario, seats=seats)


def test_a_client_that_cancels_stops_the_work() -> None:
    async def scenario(bench: _Bench) -> None:
        call = bench.audio.Extract()
        await call.write(request("a"))
        await call.read()
        call.cancel()
        async with asyncio.timeout(10):
            await bench.servicer.ended.wait()
            # The place is free again.
            await bench.audio.ListVoices(audio_pb2.ListVoicesRequest())

    on_server(scenario, max_calls=2)


def test_a_client_that_never_reads_and_leaves_frees_its_place() -> None:
    async def scenario(bench: _Bench) -> None:
        call = bench.audio.Extract()
        flood = request("x" * 500_000)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                while True:
                    await call.write(flood)
        assert not bench.servicer.ended.is_set()
        call.cancel()
        async with asyncio.timeout(10):
            await bench.servicer.ended.wait()
            while not await bench.has_place():
                await asyncio.sleep(0.01)

    on_server(scenario, max_calls=1)


def test_health_and_reflection_name_the_service() -> None:
    async def scenario(bench: _Bench) -> None:
        assert await bench.health(_SERVICE) == health_pb2.HealthCheckResponse.SERVING
        stub = reflection_pb2_grpc.ServerReflectionStub(bench.channel)
        call = stub.ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        names = {s.name for s in (await call.read()).list_services_response.service}
        assert {_SERVICE, "grpc.health.v1.Health"} <= names
        call.cancel()
        await bench.server.serving(False)
        assert await bench.health() == health_pb2.HealthCheckResponse.NOT_SERVING

    on_server(scenario)


def test_draining_finishes_what_runs_and_takes_nothing_new() -> None:
    async def scenario(bench: _Bench) -> None:
        call = bench.audio.Extract()
        await call.write(request("a"))
        await call.read()
        stopping = asyncio.create_task(bench.server.stop(20.0))
        await asyncio.sleep(0.1)
        await call.write(request("b"))
        assert (await call.read()).header.session_id == "b"
        async with grpc.aio.insecure_channel(f"127.0.0.1:{bench.port}") as late:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await audio_pb2_grpc.AudioServiceStub(late).ListVoices(
                    audio_pb2.ListVoicesRequest()
                )
            assert isinstance(error_of(caught.value), Unavailable)
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        async with asyncio.timeout(10):
            await stopping

    on_server(scenario)


def test_a_port_that_is_taken_is_named() -> None:
    async def scenario(bench: _Bench) -> None:
        second = GrpcServer(lambda raw: None, (), telemetry=Telemetry("audio"), port=bench.port)
        with pytest.raises(Conflict, match=str(bench.port)):
            await second.start()

    on_server(scenario)
