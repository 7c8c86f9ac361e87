"""Deletes what is left of jobs that are not remembered any more.

A job's state goes from Redis by itself some time after its end; its objects do not. They are
deleted when Redis knows no such job and nothing of them has changed for as long as jobs are
remembered. So neither a job that runs, nor an upload whose job is about to be made, nor a Redis
that has lost its data for a while leads to a loss.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import defaultdict
from functools import partial
from typing import Any

from lipstream.errors import LipstreamError
from lipstream.runtime.object_store import ObjectStore
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.objects import JOBS
from lipstream.wire.streams import index_key, job_key, sweep_key

__all__ = ["Retention"]

logger = logging.getLogger(__name__)

_AT_ONCE = 500


class Retention:
    """
    Args:
        ttl_s: how long a finished job is remembered.
        every_s: between two sweeps, of all gateways together.
    """

    def __init__(
        self, link: RedisLink, store: ObjectStore, *, ttl_s: float, every_s: float
    ) -> None:
        self._link = link
        self._store = store
        self._ttl_s = ttl_s
        self._every_s = every_s

    async def run(self) -> None:
        """Sweep from time to time, until cancelled."""
        while True:
            # Spread, so that a fleet does not ask in one moment.
            await asyncio.sleep(self._every_s * (0.05 + 0.1 * secrets.randbelow(100) / 100))
            try:
                if await self._my_turn():
                    count = await self.sweep()
                    logger.info("swept", extra={"objects": count})
            except LipstreamError as error:
                logger.warning("the sweep of old objects failed: %s", error)

    async def sweep(self) -> int:
        """Delete what is too old; say how many objects that were.

        Raises:
            Unavailable: Redis or the store does not answer.
        """
        before_ms = int((time.time() - self._ttl_s) * 1000)
        old = await asyncio.to_thread(self._old, before_ms)
        count = 0
        ids = sorted(old)
        for first in range(0, len(ids), _AT_ONCE):
            some = ids[first : first + _AT_ONCE]
            for job_id in await self._unknown(some):
                # These alone: another job of that name may have put others there meanwhile.
                await asyncio.to_thread(self._delete, old[job_id])
                count += len(old[job_id])
        await self._forget(before_ms)
        return count

    async def _my_turn(self) -> bool:
        client: Any = self._link.client
        lasts_ms = max(1, round(900 * self._every_s))
        return bool(
            await self._link.call(lambda: client.set(sweep_key(), "1", nx=True, px=lasts_ms))
        )

    def _old(self, before_ms: int) -> dict[str, list[str]]:
        """Keys of each job of whose objects none is newer."""
        keys: dict[str, list[str]] = defaultdict(list)
        young = set()
        for info in self._store.list(JOBS):
            job_id = info.key.split("/")[1]
            keys[job_id].append(info.key)
            if info.modified_ms >= before_ms:
                young.add(job_id)
        return {job_id: own for job_id, own in keys.items() if job_id not in young}

    def _delete(self, keys: list[str]) -> None:
        for key in keys:
            self._store.delete(key)

    async def _unknown(self, ids: list[str]) -> list[str]:
        async def ask() -> list[int]:
            pipe = self._link.client.pipeline(transaction=False)
            for job_id in ids:
                pipe.exists(job_key(job_id))
            answers: list[int] = await pipe.execute()
            return answers

        known = await self._link.call(ask)
        return [job_id for job_id, there in zip(ids, known, strict=True) if not there]

    async def _forget(self, before_ms: int) -> None:
        """Take jobs that are not remembered out of the lists of jobs."""
        client: Any = self._link.client
        cursor = 0
        while True:
            cursor, names = await self._link.call(
                partial(client.scan, cursor, match=index_key("*") + "*", count=1000)
            )
            for name in names:
                ids: list[str] = await self._link.call(
                    partial(client.zrangebyscore, name, "-inf", before_ms, 0, _AT_ONCE)
                )
                if gone := await self._unknown(ids) if ids else []:
                    await self._link.call(partial(client.zrem, name, *gone))
            if not cursor:
                return
