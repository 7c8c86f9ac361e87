"""Which workers a stage has: who shows that it is there, and who is in its stream's group."""

from __future__ import annotations

import time
from typing import Any

from lipstream.pipeline import Stage
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.streams import GROUP, workers_set

__all__ = ["StageMembers"]

_PRESENT_S = 15.0

# Removes a consumer that holds nothing; one that holds something must be taken over instead.
# KEYS: stream. ARGV: group, consumer.
_FORGET_CONSUMER = """
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1
"""


class StageMembers:
    """
    Args:
        consumer: this worker's name, which no other has.

    Raises:
        Unavailable: from every method, when Redis does not answer within the link's patience.
    """

    def __init__(self, link: RedisLink, stage: Stage, consumer: str) -> None:
        self._link = link
        self._stream = stage.stream
        self._present = workers_set(stage.name)
        self._consumer = consumer

    async def show_presence(self) -> None:
        """Say that this worker is there; once in `_PRESENT_S` at least."""
        now = {self._consumer: time.time()}
        await self._link.call(lambda: self._client.zadd(self._present, now))

    async def count(self) -> int:
        """How many workers the stage has now, this one among them."""
        since_s = time.time() - _PRESENT_S
        await self._link.call(lambda: self._client.zremrangebyscore(self._present, "-inf", since_s))
        return max(1, int(await self._link.call(lambda: self._client.zcard(self._present))))

    async def leave(self) -> None:
        """Take this worker's name out of the group, unless work is still in it."""
        await self._link.call(
            lambda: self._client.zrem(self._present, self._consumer), patience_s=0.0
        )
        await self._forget(self._consumer, patience_s=0.0)

    async def forget_idle(self, idle_ms: int) -> None:
        """Take out the names of workers that are long gone and hold nothing."""
        consumers: Any = await self._link.call(
            lambda: self._client.xinfo_consumers(self._stream, GROUP)
        )
        for consumer in consumers:
            if consumer["idle"] > idle_ms and not consumer["pending"]:
                await self._forget(consumer["name"])

    @property
    def _client(self) -> Any:
        return self._link.client

    async def _forget(self, name: str, *, patience_s: float | None = None) -> None:
        script = _FORGET_CONSUMER
        await self._link.call(
            lambda: self._client.eval(script, 1, self._stream, GROUP, name), patience_s
        )
