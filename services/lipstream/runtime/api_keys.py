"""API keys: who calls, and what they may do.

A key reads `lsk_<id>_<secret>`. Redis holds its secret as a SHA-256 digest only; 256 random bits
need no slow hash. The prefix lets scanners of leaked secrets find it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any, Self

from lipstream.errors import BadInput, NotFound
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.fields import VERSION, Fields
from lipstream.wire.streams import api_key, api_keys
from lipstream.wire.tenants import checked_tenant

__all__ = ["ApiKey", "KeyStore", "Scope"]

_KEY = re.compile(r"lsk_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_NAME_CHARS = 80


class Scope(StrEnum):
    """What a key is for."""

    AVATARS = "avatars"
    VIDEOS = "videos"
    SESSIONS = "sessions"
    WEBHOOKS = "webhooks"
    ADMIN = "admin"
    """Everything."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key."""

    id: str
    tenant: str
    scopes: frozenset[Scope]
    name: str
    """For people: where it is used."""
    digest: str
    """SHA-256 of the whole key, hexadecimal."""
    created_ms: int
    expires_ms: int = 0
    """Unix time; 0: never."""
    requests_per_s: float = 0.0
    """0: as many as the server allows by default."""
    sessions: int = 0
    """Live ones at once; 0: as many as the server allows by default."""

    @property
    def expired(self) -> bool:
        return 0 < self.expires_ms <= _now_ms()

    def encode(self) -> dict[str, str]:
        return {
            "v": str(VERSION),
            "id": self.id,
            "tenant": self.tenant,
            "scopes": " ".join(sorted(self.scopes)),
            "name": self.name,
            "digest": self.digest,
            "created_ms": str(self.created_ms),
            "expires_ms": str(self.expires_ms),
            "requests_per_s": repr(self.requests_per_s),
            "sessions": str(self.sessions),
        }

    @classmethod
    def decode(cls, raw: dict[str, str]) -> Self:
        """
        Raises:
            BadInput: the hash is not one that `encode` wrote.
        """
        fields = Fields(raw, "API key")
        return cls(
            id=fields.text("id"),
            tenant=checked_tenant(fields.text("tenant")),
            scopes=frozenset(_scope(text) for text in fields.text("scopes").split()),
            name=fields.text("name"),
            digest=fields.text("digest"),
            created_ms=fields.integer("created_ms"),
            expires_ms=fields.integer("expires_ms"),
            requests_per_s=fields.number("requests_per_s"),
            sessions=fields.integer("sessions"),
        )


class KeyStore:
    """All keys, kept in Redis.

    Raises:
        Unavailable: from every method, when Redis does not answer within the link's patience.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def create(
        self,
        tenant: str,
        scopes: Iterable[str],
        *,
        name: str = "",
        lasts_s: float | None = None,
        requests_per_s: float = 0.0,
        sessions: int = 0,
    ) -> tuple[ApiKey, str]:
        """A new key and its text, which is told this once.

        Args:
            lasts_s: when it ends; never by default.
            requests_per_s: its own bound on calls; by default the server's.
            sessions: its own bound on live sessions; by default the server's.

        Raises:
            BadInput: no tenant can be named so, or a scope is unknown or missing.
        """
        wanted = frozenset(_scope(scope) for scope in scopes)
        if not wanted:
            raise BadInput("A key needs a scope.", remedy=_SCOPES_REMEDY, code="no_scope")
        if len(name) > _NAME_CHARS:
            raise BadInput(f"The name has over {_NAME_CHARS} characters.")
        like = ApiKey(
            id="",
            tenant=checked_tenant(tenant),
            scopes=wanted,
            name=name,
            digest="",
            created_ms=0,
            requests_per_s=requests_per_s,
            sessions=sessions,
        )
        key, text = _made(like, lasts_s)
        await self._write(key)
        return key, text

    async def find(self, text: str) -> ApiKey | None:
        """The key of that text, expired or not; None when there is none."""
        parts = _KEY.fullmatch(text)
        if parts is None:
            return None
        key = await self._read(parts[1])
        matches = key is not None and hmac.compare_digest(key.digest, _digest(text))
        return key if matches else None

    async def keys(self) -> list[ApiKey]:
        """All of them, by tenant and age."""
        ids: set[str] = await self._link.call(lambda: self._client.smembers(api_keys()))
        found = [await self._read(key_id) for key_id in ids]
        present = (key for key in found if key is not None)
        return sorted(present, key=lambda key: (key.tenant, key.created_ms, key.id))

    async def rotate(
        self, key_id: str, *, grace_s: float, lasts_s: float | None = None
    ) -> tuple[ApiKey, str]:
        """A new key in place of another, which ends `grace_s` from now; both work until then.

        Raises:
            NotFound: there is no such key.
        """
        old = await self._read(key_id)
        if old is None:
            raise _missing(key_id)
        key, text = _made(old, lasts_s)
        end_ms = _now_ms() + round(1000 * grace_s)
        ending = replace(old, expires_ms=min(old.expires_ms or end_ms, end_ms))
        await self._write(key, ending)
        return key, text

    async def revoke(self, key_id: str) -> None:
        """End a key at once.

        Raises:
            NotFound: there is no such key.
        """
        if await self._read(key_id) is None:
            raise _missing(key_id)

        async def forget() -> None:
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.delete(api_key(key_id)).srem(api_keys(), key_id)
                await pipe.execute()

        await self._link.call(forget)

    @property
    def _client(self) -> Any:
        return self._link.client

    async def _read(self, key_id: str) -> ApiKey | None:
        try:
            place = api_key(key_id)
        except BadInput:
            return None
        raw = await self._link.call(partial(self._client.hgetall, place))
        return ApiKey.decode(raw) if raw else None

    async def _write(self, *keys: ApiKey) -> None:
        async def write() -> None:
            async with self._client.pipeline(transaction=True) as pipe:
                for key in keys:
                    pipe.hset(api_key(key.id), mapping=key.encode()).sadd(api_keys(), key.id)
                await pipe.execute()

        await self._link.call(write)


_SCOPES_REMEDY = f"Name one or more of {', '.join(Scope)}."


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise BadInput(
            f"{text[:40]!r} is no scope.", remedy=_SCOPES_REMEDY, code="bad_scope"
        ) from None


def _made(like: ApiKey, lasts_s: float | None) -> tuple[ApiKey, str]:
    key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(12))
    text = f"lsk_{key_id}_{secrets.token_urlsafe(32)}"
    now_ms = _now_ms()
    end_ms = 0 if lasts_s is None else now_ms + round(1000 * lasts_s)
    made = replace(like, id=key_id, digest=_digest(text), created_ms=now_ms, expires_ms=end_ms)
    return made, text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _missing(key_id: str) -> NotFound:
    return NotFound(
        f"There is no key {key_id[:64]!r}.", remedy="See them with: lipstream keys list"
    )
