"""Everything at once, over real stages: keys, mutual TLS between them, Redis behind TLS and a
password; and none of the secrets in any log."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from lipstream.client import LiveClient, MediaKind
from lipstream.errors import BadInput
from lipstream.runtime.api_keys import KeyStore
from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.settings import Settings
from tests.certificates import Authority
from tests.integration.redis_process import RedisProcess
from tests.integration.security.conftest import bearer
from tests.integration.security.tls_proxy import TlsProxy
from tests.integration.sessions.listener import Listener
from tests.portrait import AVATAR

_PASSWORD = "pass-of-redis-4711"
_LINK_SECRET = "secret-of-links-4711"


@pytest.fixture
def redis_url(redis_server: RedisProcess, tmp_path: Path) -> Iterator[str]:
    authority = Authority(tmp_path / "redis-tls")
    with TlsProxy(redis_server.port, authority.issue("redis")) as proxy:
        client = redis_server.client()
        client.config_set("requirepass", _PASSWORD)
        client.close()
        yield f"rediss://:{_PASSWORD}@127.0.0.1:{proxy.port}/0?ssl_ca_certs={authority.ca}"


@pytest.fixture
def stack(
    tmp_path: Path, avatar_store: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalStack]:
    objects = tmp_path / "objects"
    shutil.copytree(avatar_store / "avatars" / AVATAR, objects / "avatars" / f"acme.{AVATAR}")
    authority = Authority(tmp_path / "tls")
    issued = authority.issue("stage")
    monkeypatch.setenv("LIPSTREAM_TLS_CA", str(authority.ca))
    monkeypatch.setenv("LIPSTREAM_TLS_CERT", str(issued.cert))
    monkeypatch.setenv("LIPSTREAM_TLS_KEY", str(issued.key))
    monkeypatch.setenv("LIPSTREAM_LINK_SECRET", _LINK_SECRET)
    monkeypatch.setenv("LIPSTREAM_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("LIPSTREAM_LIVE_CAPACITY", "8")  # it need not be measured
    with LocalStack(Settings(data_dir=tmp_path, auth="keys", redis=redis_url)) as running:
        yield running


def _key(redis_url: str, tenant: str, sessions: int = 0) -> str:
    async def made() -> str:
        link = RedisLink(redis_url)
        try:
            key = await KeyStore(link).create(tenant, ["sessions"], sessions=sessions)
            return key[1]
        finally:
            await link.close()

    return asyncio.run(made())


async def _is_full(stack: LocalStack, key: str) -> None:
    with pytest.raises(BadInput) as full:
        async with LiveClient.opened(stack.url, api_key=key, avatar=AVATAR):
            pass
    assert full.value.code == "key_sessions_full"


def test_sessions_of_tenants_and_logs_without_secrets(
    stack: LocalStack, redis_server: RedisProcess, redis_url: str
) -> None:
    acme, other = _key(redis_url, "acme", sessions=1), _key(redis_url, "other")
    tokens = []

    async def scene() -> None:
        async with Listener.opened(stack.url, api_key=acme, avatar=AVATAR, size=64) as listener:
            client = listener.client
            assert client.session["avatar"] == AVATAR
            tokens.append(client.session["session_token"])
            path = f"/v1/sessions/{client.session['id']}"
            async with httpx.AsyncClient(base_url=stack.url, trust_env=False) as http:
                assert (await http.get(path, headers=bearer(acme))).status_code == 200
                for method in ("GET", "DELETE"):
                    refused = await http.request(method, path, headers=bearer(other))
                    assert (refused.status_code, refused.json()["code"]) == (404, "no_session")
            await _is_full(stack, acme)
            await listener.until_media(25)
            states = len(listener.of("session.state_updated"))
            os.kill(stack.pids["gateway"], signal.SIGKILL)
            await listener.until("session.state_updated", states + 1)
            known = len(listener.media)
            await listener.until_media(known + 25)
            pictures = [m for _, m in listener.media[known:] if m.kind is MediaKind.VIDEO]
            assert pictures[0].keyframe
            assert (np.diff([picture.pts_us for picture in pictures]) > 0).all()
            await _is_full(stack, acme)  # it is one session still
            with pytest.raises(BadInput) as missing:
                async with LiveClient.opened(stack.url, api_key=other, avatar=AVATAR):
                    pass
            assert missing.value.code == "not_found"
        async with LiveClient.opened(stack.url, api_key=acme, avatar=AVATAR, size=64):
            pass  # its place is free again

    asyncio.run(scene())
    redis_server.stop()  # what is logged of a Redis that is away names it
    give_up_s = time.monotonic() + 20
    while httpx.get(f"{stack.url}/readyz", trust_env=False).status_code == 200:
        assert time.monotonic() < give_up_s
    logs = "".join(path.read_text() for path in stack.log_dir.iterdir())
    assert "redis is away" in logs
    for secret in (_PASSWORD, _LINK_SECRET, acme[-20:], other[-20:], *tokens):
        assert secret not in logs
