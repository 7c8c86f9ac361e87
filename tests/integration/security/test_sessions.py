"""Live sessions where keys are asked for, over real stages."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lipstream.client import LiveClient
from lipstream.errors import BadInput
from lipstream.runtime.api_keys import KeyStore
from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.settings import Settings
from tests.integration.security.conftest import bearer
from tests.portrait import AVATAR


@pytest.fixture
def stack(tmp_path: Path, avatar_store: Path) -> Iterator[LocalStack]:
    objects = tmp_path / "objects"
    shutil.copytree(avatar_store / "avatars" / AVATAR, objects / "avatars" / f"acme.{AVATAR}")
    with LocalStack(Settings(data_dir=tmp_path, auth="keys")) as running:
        yield running


def _key(stack: LocalStack, tenant: str, sessions: int = 0) -> str:
    async def made() -> str:
        link = RedisLink(stack.redis_url)
        try:
            key = await KeyStore(link).create(tenant, ["sessions"], sessions=sessions)
            return key[1]
        finally:
            await link.close()

    return asyncio.run(made())


def test_a_session_is_its_tenants_and_counts_for_its_key(stack: LocalStack) -> None:
    acme, other = _key(stack, "acme", sessions=1), _key(stack, "other")

    async def scene() -> None:
        async with LiveClient.opened(stack.url, api_key=acme, avatar=AVATAR, size=64) as client:
            assert client.session["avatar"] == AVATAR
            path = f"/v1/sessions/{client.session['id']}"
            async with httpx.AsyncClient(base_url=stack.url, trust_env=False) as http:
                assert (await http.get(path, headers=bearer(acme))).status_code == 200
                for method in ("GET", "DELETE"):
                    refused = await http.request(method, path, headers=bearer(other))
                    assert (refused.status_code, refused.json()["code"]) == (404, "no_session")
            with pytest.raises(BadInput) as full:
                async with LiveClient.opened(stack.url, api_key=acme, avatar=AVATAR):
                    pass
            assert full.value.code == "key_sessions_full"
            with pytest.raises(BadInput) as missing:
                async with LiveClient.opened(stack.url, api_key=other, avatar=AVATAR):
                    pass
            assert missing.value.code == "not_found"
        async with LiveClient.opened(stack.url, api_key=acme, avatar=AVATAR, size=64):
            pass  # its place is free again

    asyncio.run(scene())
    logs = "".join(path.read_text() for path in stack.log_dir.iterdir())
    assert acme.rpartition("_")[2] not in logs
