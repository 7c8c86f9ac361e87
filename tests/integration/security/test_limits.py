"""How often a key may call, and how many sessions it may have open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from lipstream.errors import Overloaded
from lipstream.gateway.sessions.places import SessionPlaces
from lipstream.runtime.rate_limit import RateLimiter
from lipstream.runtime.redis_link import RedisLink
from tests.integration.redis_process import RedisProcess
from tests.integration.security.conftest import Guarded

T = TypeVar("T")


def test_a_key_that_calls_too_often_is_told_to_wait(guarded: Guarded) -> None:
    headers, other = guarded.key("acme", requests_per_s=0.5), guarded.key("acme")
    with guarded.http() as http:
        answers = [http.get("/v1/videos", headers=headers) for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert [one.headers["ratelimit-limit"] for one in answers] == ["2"] * 3
        assert [one.headers["ratelimit-remaining"] for one in answers] == ["1", "0", "0"]
        refused = answers[-1]
        assert refused.json()["code"] == "rate_limited"
        assert 1 <= int(refused.headers["retry-after"]) <= 2
        assert 2 <= int(refused.headers["ratelimit-reset"]) <= 4
        assert http.get("/v1/videos", headers=other).status_code == 200
        assert "ratelimit-limit" not in http.get("/healthz").headers


def test_calls_at_once_are_counted_once_each(redis_server: RedisProcess) -> None:
    async def burst(link: RedisLink) -> int:
        limiter = RateLimiter(link)
        # So slow that none is added meanwhile.
        taken = await asyncio.gather(*(limiter.take("k", 2.5) for _ in range(40)))
        return sum(allowance.granted for allowance in taken)

    assert 10 <= _on(redis_server, burst) <= 15


def test_a_key_has_so_many_sessions_and_no_more(redis_server: RedisProcess) -> None:
    async def scene(link: RedisLink) -> None:
        one, other = SessionPlaces(link), SessionPlaces(link)  # of two gateways
        try:
            await one.take("s1", "key", 2)
            await other.take("s2", "key", 2)
            with pytest.raises(Overloaded) as full:
                await one.take("s3", "key", 2)
            assert full.value.code == "key_sessions_full"
            await one.take("s3", "another", 2)
            await other.give_back("s2")
            await other.give_back("s2")
            await one.take("s4", "key", 2)
            # The places of a gateway that was killed end with their leases.
            client = redis_server.client()
            client.zadd("{lipstream}:session-places:key", {"s1": 1, "s4": 1})
            client.close()
            await other.take("s5", "key", 1)
        finally:
            await one.close()
            await other.close()

    _on(redis_server, scene)


def _on(redis_server: RedisProcess, ask: Callable[[RedisLink], Awaitable[T]]) -> T:
    async def asked() -> T:
        link = RedisLink(redis_server.url)
        try:
            return await ask(link)
        finally:
            await link.close()

    return asyncio.run(asked())
