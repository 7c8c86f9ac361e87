"""A gateway that asks for keys, in this process, on a real Redis; stages are away."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from fastapi.testclient import TestClient

from lipstream.gateway.app import create_app
from lipstream.runtime.api_keys import KeyStore
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import open_store
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.settings import Settings
from tests.integration.redis_process import RedisProcess

T = TypeVar("T")

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""One pixel, PNG."""


class Guarded:
    """The gateway, and what its operator does."""

    def __init__(self, redis: RedisProcess, folder: Path) -> None:
        self._redis = redis
        self._store = str(folder / "objects")

    @contextmanager
    def http(self, **settings: object) -> Iterator[TestClient]:
        given: dict[str, object] = {"redis": self._redis.url, "store": self._store, "auth": "keys"}
        with TestClient(create_app(Settings.model_validate(given | settings))) as client:
            yield client

    def keys(self, ask: Callable[[KeyStore], Awaitable[T]]) -> T:
        async def asked() -> T:
            link = RedisLink(self._redis.url)
            try:
                return await ask(KeyStore(link))
            finally:
                await link.close()

        return asyncio.run(asked())

    def key(self, tenant: str, *scopes: str, requests_per_s: float = 0.0) -> dict[str, str]:
        """Headers with a new key."""
        wanted = scopes or ("avatars", "videos", "sessions")
        made = self.keys(lambda keys: keys.create(tenant, wanted, requests_per_s=requests_per_s))
        text = made[1]
        return bearer(text)

    def add_avatar(self, avatar_id: str, consent: str = "I am Grace.") -> None:
        """Papers of an avatar, which is all that a gateway looks at."""
        library = AvatarLibrary(open_store(self._store))
        papers = {"name": avatar_id, "consent": {"statement": consent} if consent else None}
        bundle = Path(self._store) / "bundle"
        bundle.write_bytes(b"bundle")
        library.add(avatar_id, bundle, json.dumps(papers).encode(), PICTURE)


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
def guarded(redis_server: RedisProcess, tmp_path: Path) -> Guarded:
    return Guarded(redis_server, tmp_path)
