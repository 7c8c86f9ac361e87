"""How often a key may call: a token bucket in Redis, one for all gateways."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.streams import rate_bucket

__all__ = ["Allowance", "RateLimiter"]

_BURST_S = 4.0
"""The bucket holds so many seconds' worth: what may come at once."""

# KEYS: bucket. ARGV: tokens a second, tokens at most.
# Answers whether one was taken, how many are left, and ms until there is one, until it is full.
_TAKE = """
local t = redis.call('TIME')
local now_us = t[1] * 1000000 + t[2]
local rate, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at_us')
local tokens = tonumber(kept[1]) or most
local waited_us = math.max(0, now_us - (tonumber(kept[2]) or now_us))
tokens = math.min(most, tokens + waited_us * rate / 1000000)
local taken = 0
if tokens >= 1 then
  taken = 1
  tokens = tokens - 1
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens),
  'at_us', string.format('%.0f', now_us))
redis.call('EXPIRE', KEYS[1], math.ceil(most / rate) + 1)
local next_ms = math.ceil(math.max(0, 1 - tokens) * 1000 / rate)
return {taken, math.floor(tokens), next_ms, math.ceil((most - tokens) * 1000 / rate)}
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key has left after a call."""

    granted: bool
    most: int
    left: int
    next_s: int
    """Until one more call is granted, rounded up."""
    full_s: int
    """Until it has all that it can have."""


class RateLimiter:
    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def take(self, key_id: str, per_s: float) -> Allowance:
        """Count one call of a key that may make so many a second.

        Raises:
            Unavailable: Redis does not answer.
        """
        most = max(1, math.floor(per_s * _BURST_S))
        client: Any = self._link.client
        place = rate_bucket(key_id)
        taken, left, next_ms, full_ms = await self._link.call(
            lambda: client.eval(_TAKE, 1, place, repr(per_s), str(most))
        )
        return Allowance(
            taken == 1, most, left, math.ceil(next_ms / 1000), math.ceil(full_ms / 1000)
        )
