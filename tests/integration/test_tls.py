"""Mutual TLS between stages: who has no certificate of the authority gets nothing."""

# mypy: disable-error-code="import-untyped"
# grpcio's health package carries no types.
from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from lipstream.errors import BadInput
from lipstream.runtime.grpc_server import GrpcServer
from lipstream.runtime.settings import Settings
from lipstream.runtime.stage_channel import stage_channel
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.tls import TlsFiles
from tests.certificates import Authority, Issued


def _settings(authority: Authority, issued: Issued, name: str = "") -> Settings:
    return Settings(tls_ca=authority.ca, tls_cert=issued.cert, tls_key=issued.key, tls_name=name)


@asynccontextmanager
async def _served(settings: Settings) -> AsyncIterator[int]:
    server = GrpcServer(lambda _: None, (), telemetry=Telemetry("audio"), tls=TlsFiles.of(settings))
    try:
        yield await server.start()
    finally:
        await server.stop(0.0)


async def _healthy(channel: grpc.aio.Channel) -> bool:
    stub = health_pb2_grpc.HealthStub(channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def test_only_callers_of_the_same_authority_are_let_in(tmp_path: Path) -> None:
    ours, others = Authority(tmp_path / "ours"), Authority(tmp_path / "others")
    settings = _settings(ours, ours.issue("stage"))

    async def scene() -> None:
        async with _served(settings) as port:
            address = f"127.0.0.1:{port}"
            async with stage_channel(settings, address, ()) as channel:
                assert await _healthy(channel)
            named = _settings(ours, ours.issue("gateway"), name="stage")
            async with stage_channel(named, f"localhost:{port}", ()) as channel:
                assert await _healthy(channel)
            wrong_name = _settings(ours, ours.issue("gateway"), name="elsewhere")
            foreign = _settings(others, others.issue("stage"))
            foreign_client = foreign.model_copy(update={"tls_ca": ours.ca})
            for refused in (wrong_name, foreign, foreign_client, Settings()):
                async with stage_channel(refused, address, ()) as channel:
                    with pytest.raises(grpc.aio.AioRpcError) as failure:
                        await _healthy(channel)
                    assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
            without = grpc.ssl_channel_credentials(ours.ca.read_bytes())
            async with grpc.aio.secure_channel(address, without) as channel:
                with pytest.raises(grpc.aio.AioRpcError):
                    await _healthy(channel)

    asyncio.run(scene())


def test_rotated_certificates_are_used_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lipstream.runtime.stage_channel._LOOK_S", 0.0)
    old = Authority(tmp_path / "files")
    settings = _settings(old, old.issue("stage"))

    async def scene() -> None:
        async with _served(settings) as port:
            address = f"127.0.0.1:{port}"
            async with stage_channel(settings, address, ()) as channel:
                assert await _healthy(channel)
                Authority(tmp_path / "files").issue("stage")  # another authority, the same files
                for path in (tmp_path / "files").iterdir():
                    os.utime(path, ns=(2**60, 2**60))  # however coarse the clock of files is
                assert await _healthy(channel)
            async with stage_channel(settings, address, ()) as fresh:
                assert await _healthy(fresh)

    asyncio.run(scene())


def test_half_a_configuration_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with pytest.raises(BadInput, match="LIPSTREAM_TLS_KEY"):
        TlsFiles.of(Settings(tls_ca=authority.ca))
    issued = authority.issue("stage")
    issued.key.unlink()
    with pytest.raises(BadInput, match=r"stage\.key cannot be read"):
        TlsFiles.of(_settings(authority, issued))
    assert TlsFiles.of(Settings()) is None
