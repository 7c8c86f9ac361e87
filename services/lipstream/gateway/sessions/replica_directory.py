"""Which replicas take live streams, as they say themselves in Redis."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from lipstream.errors import LipstreamError
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.replica import LEASE_S, REFRESH_S, Replica
from lipstream.wire.streams import replica_key, replicas_set

__all__ = ["ReplicaDirectory"]

logger = logging.getLogger(__name__)

_ASK_S = 1.0


class ReplicaDirectory:
    """Asks Redis again and again. While Redis is away, and until all had time to tell a Redis that
    came back, what was known last is believed.

    Args:
        refreshed: called after each answer.
    """

    def __init__(
        self, link: RedisLink, stages: Sequence[str], refreshed: Callable[[], None]
    ) -> None:
        self._link = link
        self._stages = tuple(stages)
        self._refreshed = refreshed
        self._known: dict[str, dict[str, Replica]] = {stage: {} for stage in stages}
        self._asking: asyncio.Task[None] | None = None
        self._believe_s = 0.0
        """From when on a replica that Redis does not know is believed to be gone."""
        self._task = asyncio.create_task(self._watch())

    def of(self, stage: str) -> list[Replica]:
        """Those of a stage, the draining ones too."""
        return list(self._known[stage].values())

    def all(self) -> list[Replica]:
        """Those of all stages."""
        return [replica for stage in self._stages for replica in self.of(stage)]

    async def refresh(self) -> None:
        """Ask now; who asks at the same time shares the answer. Nothing changes if none comes."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.shield(self._asking)

    async def close(self) -> None:
        tasks = [task for task in (self._task, self._asking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_S)

    async def _ask(self) -> None:
        now_s = asyncio.get_running_loop().time
        try:
            found = await self._link.call(self._read, patience_s=0.0, answer_s=_ASK_S)
        except LipstreamError:
            self._believe_s = now_s() + LEASE_S
            return
        for stage, replicas in found.items():
            if now_s() < self._believe_s:
                replicas = self._known[stage] | replicas
            for name in replicas.keys() - self._known[stage].keys():
                address = replicas[name].address
                logger.info("%s takes live streams", name, extra={"address": address})
            self._known[stage] = replicas
        self._refreshed()

    async def _read(self) -> dict[str, dict[str, Replica]]:
        client = self._link.client
        async with client.pipeline(transaction=False) as pipe:
            for stage in self._stages:
                pipe.smembers(replicas_set(stage))
            members = [sorted(ids) for ids in await pipe.execute()]
        found: dict[str, dict[str, Replica]] = {stage: {} for stage in self._stages}
        ids = [replica_id for some in members for replica_id in some]
        if not ids:
            return found
        texts = dict(zip(ids, await client.mget([replica_key(i) for i in ids]), strict=True))
        for stage, some in zip(self._stages, members, strict=True):
            replicas = [Replica.decode(texts[replica_id]) for replica_id in some]
            found[stage] = {replica.id: replica for replica in replicas if replica is not None}
            gone = [replica_id for replica_id in some if texts[replica_id] is None]
            if gone:
                await client.srem(replicas_set(stage), *gone)
        return found
