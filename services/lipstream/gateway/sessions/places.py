"""How many live sessions a key has open, over all gateways.

Each session holds a place in Redis under a lease, so that those of a gateway that was killed are
free again soon.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from lipstream.errors import LipstreamError, Overloaded
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.streams import session_places

__all__ = ["SessionPlaces"]

logger = logging.getLogger(__name__)

_LEASE_S = 30
_RENEWAL_S = 10.0

# KEYS: places of a key. ARGV: session, how many at most, lease in seconds. Answers 1 if it has one.
_TAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2])
then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
_UNBOUNDED = 1 << 31


class SessionPlaces:
    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._keys: dict[str, str] = {}
        """By session."""
        self._renewer = asyncio.create_task(self._renew())

    async def take(self, session_id: str, key_id: str, most: int) -> None:
        """
        Raises:
            Overloaded: the key has as many sessions as it may have.
            Unavailable: Redis does not answer.
        """
        if not await self._lease(session_id, key_id, most):
            raise Overloaded(
                f"This key has {most} sessions open, as many as it may have.",
                remedy="End one, or wait until one has ended.",
                code="key_sessions_full",
            )
        self._keys[session_id] = key_id

    async def give_back(self, session_id: str, key_id: str | None = None) -> None:
        """Nothing happens when the session holds none.

        Args:
            key_id: whose place it is, where another gateway took it.
        """
        key_id = self._keys.pop(session_id, key_id)
        if key_id is None:
            return
        client: Any = self._link.client
        try:
            await self._link.call(lambda: client.zrem(session_places(key_id), session_id))
        except LipstreamError as error:  # its lease ends
            logger.warning("a session's place was not given back: %s", error.message)

    def leave(self, session_id: str) -> None:
        """Another gateway renews it."""
        self._keys.pop(session_id, None)

    async def close(self) -> None:
        self._renewer.cancel()
        await asyncio.gather(self._renewer, return_exceptions=True)

    async def _lease(self, session_id: str, key_id: str, most: int) -> bool:
        client: Any = self._link.client
        place = session_places(key_id)
        answer: int = await self._link.call(
            lambda: client.eval(_TAKE, 1, place, session_id, str(most), str(_LEASE_S))
        )
        return answer == 1

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEWAL_S)
            for session_id, key_id in list(self._keys.items()):
                try:
                    await self._lease(session_id, key_id, _UNBOUNDED)
                except LipstreamError as error:
                    logger.warning("a session's place was not renewed: %s", error.message)
                if session_id not in self._keys:  # it ended meanwhile
                    await self.give_back(session_id, key_id)
